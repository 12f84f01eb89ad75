"""Where each answer of the journal is: 32 bytes in memory per answer, none of its text.

Beside each file of lines, ``NAME.jsonl``, stands ``NAME.index``: one fixed-size record per line,
written after it, so that opening the journal reads 32 bytes of an answer and not the answer. An
index is never needed: what it lacks, or all of it, is read from the lines.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from longtail_icd.generation.journal.lines import KEY_BYTES, key_of_line

# head and tail: the key's bytes. start: of the line in its file, or the row in a Parquet file.
# size: bytes of the line. guard: a checksum, so that a record torn by a crash is seen.
RECORD = np.dtype(
    [("head", "<u8"), ("tail", "<u8"), ("start", "<u8"), ("size", "<u4"), ("guard", "<u4")]
)
# The same with the number of the file in place of the checksum.
PLACE = np.dtype(
    [("head", "<u8"), ("tail", "<u8"), ("start", "<u8"), ("size", "<u4"), ("file", "<u4")]
)


def _guards(records: np.ndarray) -> np.ndarray:
    mixed = records["head"] ^ records["start"] ^ records["size"].astype(np.uint64)
    return ((mixed ^ (mixed >> np.uint64(32))) & np.uint64(0xFFFFFFFF)).astype(np.uint32)


def halves(key: bytes) -> tuple[int, int]:
    """Return the two 8-byte numbers of a key."""
    return int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")


def make_record(key: bytes, start: int, size: int) -> bytes:
    """Return the index record of one line."""
    record = np.array([(*halves(key), start, size, 0)], dtype=RECORD)
    record["guard"] = _guards(record)
    return record.tobytes()


def index_path(lines: Path) -> Path:
    """Return the index that belongs to a file of lines."""
    return lines.with_suffix(".index")


def _stored_records(lines: Path, size: int) -> np.ndarray:
    """Return the sound records of a file's index, up to the first that is not."""
    try:
        data = index_path(lines).read_bytes()
    except FileNotFoundError:
        data = b""
    records = np.frombuffer(data[: len(data) // RECORD.itemsize * RECORD.itemsize], dtype=RECORD)
    ends = records["start"] + records["size"]
    sound = (_guards(records) == records["guard"]) & (ends <= size)
    return records[: len(records) if sound.all() else int(sound.argmin())]


def _scanned_records(lines: Path, start: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield a record, without its guard, for each line from ``start`` on that has a key."""
    with lines.open("rb") as stream:
        stream.seek(start)
        for line in stream:
            key = key_of_line(line)
            if key is not None:
                yield (*halves(key), start, len(line), 0)
            start += len(line)


def _line_records(lines: Path) -> np.ndarray:
    size = lines.stat().st_size
    stored = _stored_records(lines, size)
    end = int(stored[-1]["start"] + stored[-1]["size"]) if len(stored) else 0
    if end == size:
        return stored
    return np.concatenate([stored, np.array(list(_scanned_records(lines, end)), dtype=RECORD)])


def _row_records(path: Path) -> np.ndarray:
    keys = pq.read_table(path, columns=["key"])["key"].combine_chunks()
    numbers = np.frombuffer(b"".join(keys.to_pylist()), dtype="<u8").reshape(-1, 2)
    records = np.zeros(len(numbers), dtype=RECORD)
    records["head"], records["tail"] = numbers[:, 0], numbers[:, 1]
    records["start"] = np.arange(len(numbers))
    return records


def journal_files(folder: Path) -> list[Path]:
    """Return the journal's files of lines and of compacted answers, in a fixed order."""
    return sorted([*folder.glob("*.jsonl"), *folder.glob("*.parquet")])


class Index:
    """The places of all answers in a folder at one moment.

    Args:
        folder: the journal's; files that vanish meanwhile, because another process compacts
            them, are passed over.
        without: the file that this process writes, which it knows already.
    """

    def __init__(self, folder: Path, without: Path | None = None):
        self.files: list[Path] = []
        parts = [np.empty(0, dtype=PLACE)]
        for path in journal_files(folder):
            if path == without:
                continue
            try:
                records = _row_records(path) if path.suffix == ".parquet" else _line_records(path)
            except FileNotFoundError:
                continue
            places = np.empty(len(records), dtype=PLACE)
            for name in ("head", "tail", "start", "size"):
                places[name] = records[name]
            places["file"] = len(self.files)
            self.files.append(path)
            parts.append(places)
        places = np.concatenate(parts)
        # Stable: of several answers to one request the first stays the first.
        self._places = places[np.argsort(places["head"], kind="stable")]
        self._heads = np.ascontiguousarray(self._places["head"])

    def __len__(self) -> int:
        return len(self._places)

    def places(self, key: bytes) -> Iterator[tuple[Path, int, int]]:
        """Yield file, start and size of each answer stored under ``key``, the first first."""
        if len(key) != KEY_BYTES:
            return
        head, tail = halves(key)
        low = int(np.searchsorted(self._heads, np.uint64(head), side="left"))
        high = int(np.searchsorted(self._heads, np.uint64(head), side="right"))
        for place in self._places[low:high]:
            if int(place["tail"]) == tail:
                yield self.files[int(place["file"])], int(place["start"]), int(place["size"])
