"""The journal as a whole: reads the files of all processes, writes one of its own.

Append-only, outside every rule's outputs. An answer is on its way to the disk as soon as it
arrives, so a killed job loses none that it had received, and no later run, shard count or recipe
pays for the same request again. No file has two writers, so that it is safe on a network file
system; a writer locks its file, so that compaction leaves it alone.
"""

import errno
import fcntl
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from longtail_icd.common.errors import UserError
from longtail_icd.generation.journal.compacted import CompactedFiles
from longtail_icd.generation.journal.index import Index, index_path, make_record
from longtail_icd.generation.journal.lines import make_line, read_line, request_key

__all__ = ["Journal", "request_key"]

# Answers between two calls that force the file to the disk; a crash of the job alone loses none.
_SYNC_EVERY = 16
# Files of lines that a reader holds open at once.
_OPEN_FILES = 64


class Journal:
    """A folder of answers.

    Args:
        folder: made with access for its owner alone if it is not there.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.damaged = 0
        self._index: Index | None = None
        self._own: dict[str, tuple[int, int]] = {}
        self._lines: IO[bytes] | None = None
        self._places: IO[bytes] | None = None
        self._path: Path | None = None
        self._end = 0
        self._since_sync = 0
        self._streams: dict[Path, IO[bytes]] = {}
        self._compacted = CompactedFiles()

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the stored answer to a request, or None; of several the first that is sound.

        What other processes store after this one's first question is not looked for again.
        """
        if key in self._own:
            start, size = self._own[key]
            return read_line(os.pread(self._lines.fileno(), size, start))[1]
        try:
            return self._stored(key)
        except FileNotFoundError:
            # Another process has compacted the file since.
            self._index = None
            return self._stored(key)

    def __len__(self) -> int:
        """Return how many answers are stored, own ones included."""
        return len(self._known()) + len(self._own)

    def append(self, key: str, answer: dict[str, Any]) -> None:
        """Store an answer; when this returns, the death of the process no longer loses it.

        Raises:
            UserError: it cannot be stored, for example because the disk is full; what was stored
                before is still there.
        """
        try:
            self._append(key, make_line(key, answer))
        except OSError as error:
            raise UserError(
                f"{self.folder}: an answer cannot be stored ({os.strerror(error.errno)}); those "
                "before it are; make room and run again"
            ) from None

    def _append(self, key: str, line: bytes) -> None:
        if self._lines is None:
            self._create()
        if self._lines.write(line) < len(line):  # a nearly full disk takes a part
            self._lines.truncate(self._end)
            raise OSError(errno.ENOSPC, "half a line")
        self._places.write(make_record(bytes.fromhex(key), self._end, len(line)))
        self._own[key] = (self._end, len(line))
        self._end += len(line)
        self._since_sync += 1
        if self._since_sync >= _SYNC_EVERY:
            self._sync()

    def close(self) -> None:
        """Force what was written to the disk and let go of all files."""
        if self._lines is not None:
            self._sync()
            self._lines.close()
            self._places.close()
            self._lines = self._places = self._path = self._index = None
            self._own.clear()
            self._end = 0
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()

    def _known(self) -> Index:
        if self._index is None:
            self._index = Index(self.folder, without=self._path)
        return self._index

    def _stored(self, key: str) -> dict[str, Any] | None:
        wanted = bytes.fromhex(key)
        for path, start, size in self._known().places(wanted):
            if path.suffix == ".parquet":
                entry = self._compacted.read(path, start)
            else:
                entry = read_line(os.pread(self._stream(path).fileno(), size, start))
            if entry is not None and entry[0] == key:
                return entry[1]
            self.damaged += 1
        return None

    def _stream(self, path: Path) -> IO[bytes]:
        if path not in self._streams:
            if len(self._streams) >= _OPEN_FILES:
                self._streams.pop(next(iter(self._streams))).close()
            self._streams[path] = path.open("rb")
        return self._streams[path]

    def _create(self) -> None:
        self._known()  # before the own file exists, so that its answers are counted once
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}.jsonl"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._path = path = self.folder / name
        # The index first: a reader never sees it behind lines that it should cover.
        self._places = os.fdopen(os.open(index_path(path), flags, 0o600), "wb")
        self._lines = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        # Some network file systems have no locks; compaction refuses to work on those.
        with suppress(OSError):
            fcntl.lockf(self._lines, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _sync(self) -> None:
        os.fsync(self._lines.fileno())
        self._places.flush()
        self._since_sync = 0
