"""One line of a journal file: ``{"key": …, "checksum": …, "answer": {…}}``.

It holds an answer but no prompt and no API key. A line that is torn or does not match its checksum
is no line.
"""

import hashlib
import json
from typing import Any

# Lines start alike, so that a line's key can be read without parsing it.
PREFIX = b'{"key": "'
KEY_BYTES = 16


def canonical(value: Any) -> bytes:
    """Return a JSON value as bytes that do not depend on the order of keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def request_key(body: dict[str, Any]) -> str:
    """Return 32 hex digits of the complete request body; where it is sent does not matter."""
    return hashlib.blake2b(canonical(body), digest_size=KEY_BYTES).hexdigest()


def _checksum(key: str, answer: dict[str, Any]) -> str:
    return hashlib.blake2b(canonical([key, answer]), digest_size=8).hexdigest()


def make_line(key: str, answer: dict[str, Any]) -> bytes:
    """Return the line that stores an answer, its line feed included."""
    entry = {"key": key, "checksum": _checksum(key, answer), "answer": answer}
    return json.dumps(entry).encode() + b"\n"


def read_line(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """Return the key and the answer of a line; None if it is damaged."""
    try:
        entry = json.loads(line)
        key, answer = entry["key"], entry["answer"]
        if entry["checksum"] == _checksum(key, answer):
            return key, answer
    except (ValueError, TypeError, KeyError):
        pass
    return None


def key_of_line(line: bytes) -> bytes | None:
    """Return the 16 bytes of a line's key without parsing it; None if it has none."""
    if not line.startswith(PREFIX) or not line.endswith(b"}\n"):
        return None
    try:
        key = bytes.fromhex(line[len(PREFIX) : len(PREFIX) + 2 * KEY_BYTES].decode("ascii"))
    except ValueError:
        return None
    return key if len(key) == KEY_BYTES else None
