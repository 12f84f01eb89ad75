"""Coded notes to JSON lines or Parquet, as they come; a file is there whole or not at all."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import TextIO

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_path
from longtail_icd.common.tables import write_rows
from longtail_icd.prediction.coder import CodedNote

STDOUT = "-"
ENDINGS = (".jsonl", ".parquet")


def check_output(output: str) -> None:
    """Refuse a name that says no format, before any note is read.

    Raises:
        UserError: it ends in none of :data:`ENDINGS`.
    """
    if output != STDOUT and not output.endswith(ENDINGS):
        raise UserError(f"{output}: the output's name must end in {' or '.join(ENDINGS)}")


def _write_lines(coded: Iterable[CodedNote], stream: TextIO) -> None:
    for one in coded:
        stream.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")


def write_coded(coded: Iterable[CodedNote], output: str) -> None:
    """Write coded notes, one line or row each.

    Args:
        coded: in their order.
        output: ``.jsonl``, ``.parquet`` (the table prediction/codes), or ``-`` for JSON lines on
            standard output.

    Raises:
        UserError: the file cannot be written.
    """
    if output == STDOUT:
        _write_lines(coded, sys.stdout)
        return
    try:
        if output.endswith(".parquet"):
            write_rows((asdict(one) for one in coded), output, "prediction/codes")
            return
        with atomic_path(output) as temporary, temporary.open("w", encoding="utf-8") as stream:
            _write_lines(coded, stream)
    except OSError as error:
        raise UserError(f"{output}: cannot be written ({error.strerror})") from None
