"""New notes from wherever they are, one at a time: CSV, JSON lines, Parquet, a folder, stdin."""

import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from longtail_icd.common.errors import UserError

STDIN = "-"
LONGEST = 1 << 26  # characters of a line or a value; one of more is taken for a damaged file
ROWS = 64  # of a Parquet file at a time


@dataclass(frozen=True)
class Note:
    """A note to be coded."""

    note_id: str
    text: str


@dataclass(frozen=True)
class Columns:
    """What a table or an object calls the note's id and its text."""

    note_id: str
    text: str

    def missing(self, name: str, column: str) -> UserError:
        """Return the error of a file ``name`` without a column; its own names may be note text."""
        option = "id" if column == self.note_id else "text"
        return UserError(
            f"{name}: column {column} is missing; name it with --{option}-column "
            f"(prediction.{option}_column)"
        )


@dataclass(frozen=True)
class Record:
    """A note as it stands in a file; ``place`` is where, for messages."""

    place: str
    note_id: Any
    text: Any


@contextmanager
def _opened(source: str) -> Iterator[TextIO]:
    """Open a file, or standard input, as text in UTF-8; line ends are left as they are."""
    if source == STDIN:
        yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
        return
    opener = gzip.open if source.endswith(".gz") else Path.open
    with opener(Path(source), "rt", encoding="utf-8-sig", newline="") as stream:
        yield stream


def _lines(stream: TextIO, name: str) -> Iterator[str]:
    for line in iter(partial(stream.readline, LONGEST), ""):
        if len(line) == LONGEST:
            raise UserError(f"{name}: a line is longer than {LONGEST} characters; is it damaged?")
        yield line


def _read_csv(source: str, name: str, columns: Columns) -> Iterator[Record]:
    csv.field_size_limit(LONGEST)
    with _opened(source) as stream:
        rows = csv.reader(_lines(stream, name), strict=True)
        try:
            header = next(rows, None)
            for column in (columns.note_id, columns.text) if header else ():
                if column not in header:
                    raise columns.missing(name, column)
            for row in rows:
                place = f"line {rows.line_num}"
                if len(row) not in (0, len(header)):
                    raise UserError(
                        f"{name}: {place}: {len(row)} values, but the header has {len(header)}; "
                        "texts with commas or line breaks must be quoted"
                    )
                if row:
                    found = dict(zip(header, row, strict=True))
                    yield Record(place, found[columns.note_id], found[columns.text])
        except csv.Error:
            raise UserError(
                f"{name}: line {rows.line_num}: not valid CSV; is a quotation mark never closed?"
            ) from None


def _read_jsonl(source: str, name: str, columns: Columns) -> Iterator[Record]:
    with _opened(source) as stream:
        for number, line in enumerate(_lines(stream, name), start=1):
            if not line.strip():
                continue
            place = f"line {number}"
            try:
                found = json.loads(line)
            except json.JSONDecodeError:
                raise UserError(f"{name}: {place}: not valid JSON") from None
            if not isinstance(found, dict):
                raise UserError(f"{name}: {place}: not a JSON object")
            for column in (columns.note_id, columns.text):
                if column not in found:
                    raise columns.missing(f"{name}: {place}", column)
            yield Record(place, found[columns.note_id], found[columns.text])


def _read_parquet(source: str, name: str, columns: Columns) -> Iterator[Record]:
    with pq.ParquetFile(source) as file:
        wanted = [columns.note_id, columns.text]
        for column in wanted:
            if column not in file.schema_arrow.names:
                raise columns.missing(name, column)
        number = 0
        for batch in file.iter_batches(ROWS, columns=wanted):
            values = (batch.column(column).to_pylist() for column in wanted)
            for note_id, text in zip(*values, strict=True):
                number += 1
                yield Record(f"row {number}", note_id, text)


def _read_text(source: str, name: str, columns: Columns) -> Iterator[Record]:
    with _opened(source) as stream:
        note_id = "stdin" if source == STDIN else Path(source).stem
        yield Record("text", note_id, stream.read(LONGEST))


def _read_folder(source: str, name: str, columns: Columns) -> Iterator[Record]:
    for path in sorted(Path(source).glob("*.txt")):
        with _not_utf8(str(path)):
            yield from _read_text(str(path), name, columns)


Reader = Callable[[str, str, Columns], Iterator[Record]]
READERS: dict[str, Reader] = {
    "csv": _read_csv,
    "jsonl": _read_jsonl,
    "parquet": _read_parquet,
    "text": _read_text,
    "folder": _read_folder,
}
ENDINGS = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet", "txt": "text"}


def _format(source: str) -> str:
    """Return the format of a source by its name. Before: ``notes.csv.gz``. After: ``csv``."""
    if source == STDIN:
        return "jsonl"
    if Path(source).is_dir():
        return "folder"
    ending = source.removesuffix(".gz").rpartition(".")[2].lower()
    if ending not in ENDINGS:
        raise UserError(f"{source}: give its format: --format {' | '.join(READERS)}")
    return ENDINGS[ending]


@contextmanager
def _not_utf8(name: str) -> Iterator[None]:
    """Turn bytes that are no UTF-8 into an error that does not quote them."""
    try:
        yield
    except UnicodeDecodeError:
        raise UserError(
            f"{name}: not in UTF-8; if it is in latin-1, convert it: iconv -f latin1 -t utf-8"
        ) from None


def _checked(record: Record, name: str, columns: Columns) -> Note:
    """Return the note of a record; no text (null) becomes an empty one."""
    where = f"{name}: {record.place}"
    note_id, text = record.note_id, record.text
    if isinstance(note_id, int) and not isinstance(note_id, bool):
        note_id = str(note_id)
    if not isinstance(note_id, str) or not note_id.strip():
        raise UserError(f"{where}: {columns.note_id} is no id; every note needs one")
    if text is not None and not isinstance(text, str):
        raise UserError(f"{where}: {columns.text} is no text")
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise UserError(f"{where}: {columns.text} holds half a surrogate pair; mend it") from None
    return Note(note_id, text or "")


def read_notes(source: str, columns: Columns, kind: str | None = None) -> Iterator[Note]:
    """Yield the notes in their order; of ids no more than a hash is held.

    Args:
        source: ``.csv``, ``.jsonl``, ``.parquet`` or ``.txt``, the first two also with ``.gz``; a
            folder of ``.txt``, each a note with the file's name as its id; ``-``: standard input.
        columns: of a table or of the JSON objects.
        kind: a key of :data:`READERS`; null: by the name, and JSON lines on standard input.

    Raises:
        UserError: names file and line: no such file, no notes, a column or an id missing, an id
            twice, broken CSV or JSON, not in UTF-8, cut off.
    """
    name = "standard input" if source == STDIN else source
    if source != STDIN and not Path(source).exists():
        raise UserError(f"{source}: no such file or folder")
    seen: set[int] = set()
    try:
        with _not_utf8(name):
            for record in READERS[kind or _format(source)](source, name, columns):
                note = _checked(record, name, columns)
                if hash(note.note_id) in seen:
                    raise UserError(
                        f"{name}: {record.place}: an earlier note has the same {columns.note_id}; "
                        "ids must differ"
                    )
                seen.add(hash(note.note_id))
                yield note
    except (pa.ArrowException, OSError, EOFError, zlib.error):
        raise UserError(f"{name}: cannot be read to its end: cut off or damaged") from None
    if not seen:
        raise UserError(f"{name}: holds no notes")
