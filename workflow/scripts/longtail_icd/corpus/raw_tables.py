"""Reading the raw CSV tables of a hospital: as strings, batch by batch, to their very end.

pyarrow's streaming reader over a stream that `isal` unpacks: of what was measured the fastest
and the leanest way through quoted values with line breaks (docs/data.md has the figures).
"""

import csv
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa
from isal import igzip, isal_zlib
from pyarrow import csv as arrow_csv

from longtail_icd.common.errors import UserError

BLOCK = 1 << 22  # bytes; has to hold the longest note
MIMIC3 = "MIMIC-III v1.4"
UNREADABLE = (pa.ArrowException, OSError, EOFError, zlib.error, isal_zlib.error)


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
    def problem(self) -> str | None:
        """What is wrong with the end of the file, if anything."""
        if self._quotes % 2 == 1:
            return "a quoted value is never closed"
        return None if self._last == b"\n" else "its last line has no end"


def _open(path: Path) -> BinaryIO:
    return igzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _cut_off(path: Path, problem: str | None = None) -> UserError:
    detail = f" ({problem})" if problem else ""
    return UserError(
        f"{path}: cannot be read to its end as CSV in UTF-8{detail}: cut off or damaged; "
        "download it again"
    )


def _not_utf8(path: Path) -> UserError:
    return UserError(
        f"{path}: not in UTF-8; if it is in latin-1, convert it: iconv -f latin1 -t utf-8"
    )


def _explain(path: Path, error: BaseException) -> UserError:
    """Say what a reader's error means; its own message may quote a note."""
    message = str(error)
    if "invalid UTF8" in message:
        return _not_utf8(path)
    if "straddling object" in message:
        return _cut_off(path, f"a value is longer than {BLOCK} bytes, or never closed")
    return _cut_off(path)


def _read_header(path: Path) -> list[str]:
    """Return the header's names as they stand in the file."""
    try:
        with _open(path) as stream:
            line = stream.readline().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except UNREADABLE as error:
        raise _explain(path, error) from None
    return next(csv.reader([line]), [])


def _find_columns(
    path: Path, columns: Sequence[str], optional: Sequence[str], release: str
) -> dict[str, str]:
    """Return each wanted column's name in the file, whatever its case.

    Raises:
        UserError: a column is missing that is not optional.
    """
    names = {name.strip().lower(): name for name in _read_header(path)}
    for column in columns:
        if column.lower() not in names:
            raise UserError(f"{path}: column {column} is missing; {release} has it")
    return {
        column: names[column.lower()] for column in [*columns, *optional] if column.lower() in names
    }


def scan_raw(
    path: Path,
    columns: Sequence[str],
    optional: Sequence[str] = (),
    release: str = MIMIC3,
) -> Iterator[pl.DataFrame]:
    """Yield a raw table's columns, all strings, in batches of some megabytes.

    Args:
        path: CSV, gzipped if the name ends in ``.gz``; header in upper or lower case.
        columns: names; the batches have them as they are written here.
        optional: names of columns that come as nulls where the file lacks them.
        release: what the file should be, for the message.

    Raises:
        UserError: a column is missing, the file is cut off, no CSV, or not in UTF-8.
    """
    names = _find_columns(path, columns, optional, release)
    missing = [pl.lit(None, pl.String).alias(one) for one in optional if one not in names]
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
                yield frame.select(
                    *(pl.col(old).alias(new) for new, old in names.items()), *missing
                )
            if watched.problem:
                raise _cut_off(path, watched.problem)
    except UNREADABLE as error:
        raise _explain(path, error) from None


def read_raw(
    path: Path, columns: Sequence[str], optional: Sequence[str] = (), release: str = MIMIC3
) -> pl.DataFrame:
    """Read a raw table whole; see :func:`scan_raw`."""
    empty = pl.DataFrame(schema=dict.fromkeys([*columns, *optional], pl.String))
    return pl.concat([empty, *scan_raw(path, columns, optional, release)])


def clean_id(column: str) -> pl.Expr:
    """Return an id column as plain strings: ``"100.0"`` → ``"100"``, as floats once wrote it."""
    return pl.col(column).str.strip_chars().str.strip_suffix(".0")


def copied(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a filtered frame that no longer keeps the text of its whole batch alive."""
    return pl.from_arrow(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
