"""Compaction: the files of finished writers become one Parquet file, several times smaller."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_path
from longtail_icd.generation.journal.compacted import ROWS_PER_GROUP, SCHEMA
from longtail_icd.generation.journal.index import index_path
from longtail_icd.generation.journal.lines import read_line


def _finished(path: Path, stack: ExitStack) -> IO[bytes] | None:
    """Return a file of lines, locked until the stack closes; None if its writer is at work."""
    stream = stack.enter_context(path.open("r+b"))
    try:
        fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    except OSError:
        raise UserError(
            f"{path.parent}: this file system has no locks, so a journal in use cannot be told "
            "from a finished one; copy the folder to a local disk and compact it there"
        ) from None
    return stream


def _answers(streams: list[IO[bytes]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield key and answer of every sound line, each key once."""
    seen: set[str] = set()
    for stream in streams:
        for entry in map(read_line, stream):
            if entry is not None and entry[0] not in seen:
                seen.add(entry[0])
                yield entry


def _write(path: Path, answers: Iterator[tuple[str, dict[str, Any]]]) -> int:
    """Write the answers as one compacted file; return how many there are."""
    rows = 0
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer,
    ):
        while group := list(islice(answers, ROWS_PER_GROUP)):
            keys = [bytes.fromhex(key) for key, _ in group]
            texts = [json.dumps(answer) for _, answer in group]
            writer.write_table(pa.table([keys, texts], schema=SCHEMA))
            rows += len(group)
        temporary.chmod(0o600)
    return rows


def compact(folder: str | Path) -> tuple[int, int]:
    """Pack the files of finished writers; return how many answers and files those were.

    The new file is complete before an old one goes, so that a crash at any moment, or a reader in
    another process, loses nothing. Files that a running job writes to are left alone.

    Raises:
        UserError: the file system has no locks.
    """
    folder = Path(folder)
    with ExitStack() as stack:
        found = {path: _finished(path, stack) for path in sorted(folder.glob("*.jsonl"))}
        streams = {path: stream for path, stream in found.items() if stream is not None}
        if not streams:
            return 0, 0
        # Its first file's name: unique, and in the place of the first in the reading order.
        target = next(iter(streams)).with_suffix(".parquet")
        answers = _write(target, _answers(list(streams.values())))
        for path in streams:
            path.unlink()
            index_path(path).unlink(missing_ok=True)
    return answers, len(streams)
