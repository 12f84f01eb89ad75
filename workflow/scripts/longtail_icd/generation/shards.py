"""Which shard a request belongs to, and random draws that are the same everywhere."""

import random
from typing import TypeVar

from longtail_icd.common.hashing import hash64

T = TypeVar("T")


def stable_number(text: str) -> int:
    """Return 63 bits of a hash of ``text``: the same in every process, unlike :func:`hash`."""
    return hash64(text) >> 1


def shard_of(anchor: str, shards: int) -> int:
    """Return the shard (0 to ``shards`` - 1) of all requests with this anchor.

    A hash of the anchor alone: known before any data is, and unmoved by other anchors.
    """
    return stable_number(anchor) % shards


def generator_of(request_id: str, purpose: str, seed: int) -> random.Random:
    """Return the random generator of one request for one purpose.

    Only ``random()`` and what is built on it here is stable between Python versions: see
    :func:`pick` and :func:`shuffled`.
    """
    return random.Random(stable_number(f"{request_id}|{purpose}|{seed}"))


def pick(options: list[T], generator: random.Random) -> T:
    """Return one of ``options``, each as likely."""
    return options[int(generator.random() * len(options))]


def shuffled(items: list[T], generator: random.Random) -> list[T]:
    """Return the items in random order."""
    keys = [generator.random() for _ in items]
    return [item for _, item in sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])]
