"""A number for a text that is the same everywhere, unlike :func:`hash`."""

import hashlib


def hash64(text: str) -> int:
    """Return 64 bits that are the same in every process and Python version."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
