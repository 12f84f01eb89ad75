"""Reading the raw CSV tables of a hospital: as strings, batch by batch, to their very end."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa
from pyarrow import csv as arrow_csv

from longtail_icd.common.errors import UserError

BLOCK = 1 << 22  # bytes; has to hold the longest note


class _Watched(io.RawIOBase):
    """A binary stream that counts quotation marks and remembers the last byte.

    The CSV reader takes a file that ends inside a quoted note, or in the middle of a code, for a
    whole one; these two figures tell.
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._quotes = 0
        self._last = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._quotes += data.count(b'"')
        self._last = data[-1:] or self._last
        return data

    @property
    def ended_in_the_middle(self) -> bool:
        return self._quotes % 2 == 1 or self._last != b"\n"


def _open(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _cut_off(path: Path) -> UserError:
    return UserError(
        f"{path}: cannot be read to its end as CSV in UTF-8: cut off or damaged; download it again"
    )


def _read_header(path: Path) -> list[str]:
    """Return the header's names as they stand in the file."""
    try:
        with _open(path) as stream:
            line = stream.readline().decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        raise _cut_off(path) from None
    return next(csv.reader([line]), [])


def _find_columns(path: Path, columns: list[str]) -> dict[str, str]:
    """Return each wanted column's name in the file, whatever its case.

    Raises:
        UserError: a column is missing.
    """
    names = {name.strip().upper(): name for name in _read_header(path)}
    for column in columns:
        if column not in names:
            raise UserError(f"{path}: column {column} is missing; MIMIC-III v1.4 has it")
    return {column: names[column] for column in columns}


def scan_raw(path: Path, columns: list[str]) -> Iterator[pl.DataFrame]:
    """Yield a raw table's columns, all strings, in batches of some megabytes.

    Args:
        path: CSV, gzipped if the name ends in ``.gz``; header in upper or lower case.
        columns: names in upper case.

    Raises:
        UserError: a column is missing, or the file is cut off or no CSV.
    """
    names = _find_columns(path, columns)
    texts = dict.fromkeys(names.values(), pa.string())
    try:
        with _open(path) as stream:
            watched = _Watched(stream)
            batches = arrow_csv.open_csv(
                pa.PythonFile(watched, mode="r"),
                read_options=arrow_csv.ReadOptions(block_size=BLOCK),
                # A note is one quoted value with line breaks in it.
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=list(texts),
                    column_types=texts,
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
            for batch in batches:
                frame = pl.from_arrow(batch)
                yield frame.select(pl.col(old).alias(new) for new, old in names.items())
            if watched.ended_in_the_middle:
                raise _cut_off(path)
    except (pa.ArrowException, OSError, EOFError, zlib.error):
        raise _cut_off(path) from None


def read_raw(path: Path, columns: list[str]) -> pl.DataFrame:
    """Read a raw table whole; see :func:`scan_raw`."""
    empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    return pl.concat([empty, *scan_raw(path, columns)])


def clean_id(column: str) -> pl.Expr:
    """Return an id column as plain strings: ``"100.0"`` → ``"100"``, as floats once wrote it."""
    return pl.col(column).str.strip_chars().str.strip_suffix(".0")
