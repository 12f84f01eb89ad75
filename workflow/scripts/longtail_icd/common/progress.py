"""Progress of long work: one line in the rule's log every few seconds."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], total: int, what: str, every_s: float = 10.0) -> Iterator[T]:
    """Yield ``items`` and print ``what: done/total, rate, time left`` at most every ``every_s``."""
    start = last = time.monotonic()
    done = 0
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= every_s:
            rate = done / (now - start)
            print(f"{what}: {done}/{total}, {rate:.1f}/s, {(total - done) / rate:.0f} s left")
            last = now
    print(f"{what}: {done}/{total} in {time.monotonic() - start:.1f} s")
