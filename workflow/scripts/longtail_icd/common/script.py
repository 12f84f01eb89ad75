"""How a rule's script runs: its output goes to the rule's log, its errors to both log and user."""

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from longtail_icd.common.errors import UserError

SHOW_ERRORS = "LONGTAIL_ICD_SHOW_ERRORS"


def _reason(error: BaseException) -> str:
    """Return an error's message where it cannot quote a note: the operating system's own words."""
    if os.environ.get(SHOW_ERRORS):
        return str(error)
    if isinstance(error, OSError) and error.errno:
        named = f": {error.filename}" if error.filename else ""
        return f"{os.strerror(error.errno)}{named}"
    return f"(message withheld, it may quote a note; set {SHOW_ERRORS}=1 to see it)"


def describe(error: BaseException) -> str:
    """Say where an unforeseen error arose and, where that gives no note away, what it was."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{frames}{type(error).__name__}: {_reason(error)}"


def run(main: Callable[[Any], None], snakemake: Any) -> None:
    """Call ``main(snakemake)`` with stdout and stderr in the rule's log.

    A :class:`UserError` becomes one line, ``error: …``; anything else a traceback without the
    message. Both end the job with exit status 1.
    """
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8", buffering=1) as stream:
        with redirect_stdout(stream), redirect_stderr(stream):
            try:
                main(snakemake)
                return
            except UserError as error:
                message = f"error: {error}"
            except Exception as error:
                message = describe(error)
        print(message, file=stream)
    sys.exit(f"rule {snakemake.rule}: {message}")
