"""The journal: every answer of a language model, kept under the hash of its request.

Append-only JSON lines, one file per writing process, outside every rule's outputs. An answer is
on its way to the disk as soon as it arrives, so a killed job loses none that it had received,
and no later run, shard count or recipe pays for the same request again.

A line is ``{"key": …, "checksum": …, "answer": {…}}``. It holds answers but no prompts and no
keys. Lines that are torn or do not match their checksum are passed over.
"""

import hashlib
import json
import os
import socket
import time
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

# Lines start alike, so that unwanted ones can be passed over without parsing.
_PREFIX = b'{"key": "'
_KEY_DIGITS = 32
# Answers between two calls that force the file to the disk; a crash of the job alone loses none.
_SYNC_EVERY = 16


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def request_key(body: dict[str, Any]) -> str:
    """Return 32 hex digits of the complete request body; where it is sent does not matter."""
    return hashlib.blake2b(_canonical(body), digest_size=_KEY_DIGITS // 2).hexdigest()


def _checksum(key: str, answer: dict[str, Any]) -> str:
    return hashlib.blake2b(_canonical([key, answer]), digest_size=8).hexdigest()


def _read_line(line: bytes) -> tuple[str, dict[str, Any]] | None:
    try:
        entry = json.loads(line)
        key, answer = entry["key"], entry["answer"]
        if entry["checksum"] == _checksum(key, answer):
            return key, answer
    except (ValueError, TypeError, KeyError):
        pass
    return None


class Journal:
    """A folder of journal files: reads all of them, writes one of its own.

    Args:
        folder: made with access for its owner alone if it is not there.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self._stream: IO[bytes] | None = None
        self._since_sync = 0

    def find(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the stored answers to the given requests; of several the first one read.

        Memory holds the wanted answers only. Damaged lines are counted in one line of the log.
        """
        wanted = {key.encode() for key in keys}
        found: dict[str, dict[str, Any]] = {}
        damaged = 0
        for path in sorted(self.folder.glob("*.jsonl")):
            with path.open("rb") as stream:
                for line in stream:
                    key = line[len(_PREFIX) : len(_PREFIX) + _KEY_DIGITS]
                    if line.startswith(_PREFIX) and key not in wanted:
                        continue
                    entry = _read_line(line)
                    if entry is None:
                        damaged += 1
                    elif entry[0] in keys:
                        found.setdefault(*entry)
        if damaged:
            print(f"journal: {damaged} damaged lines passed over")
        return found

    def _open(self) -> IO[bytes]:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}.jsonl"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        return os.fdopen(os.open(self.folder / name, flags, 0o600), "wb")

    def append(self, key: str, answer: dict[str, Any]) -> None:
        """Store an answer; when this returns, the death of the process no longer loses it."""
        if self._stream is None:
            self._stream = self._open()
        entry = {"key": key, "checksum": _checksum(key, answer), "answer": answer}
        self._stream.write(json.dumps(entry).encode() + b"\n")
        self._stream.flush()
        self._since_sync += 1
        if self._since_sync >= _SYNC_EVERY:
            os.fsync(self._stream.fileno())
            self._since_sync = 0

    def close(self) -> None:
        """Force what was written to the disk."""
        if self._stream is not None:
            os.fsync(self._stream.fileno())
            self._stream.close()
            self._stream = None
