"""How far coding has come, on standard error: notes, notes a second, what was out of order."""

import sys
import time
from collections.abc import Iterable, Iterator

from longtail_icd.prediction.coder import CodedNote


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def watched(
    coded: Iterable[CodedNote], max_length: int, every_s: float = 5.0
) -> Iterator[CodedNote]:
    """Yield coded notes and say at most every ``every_s`` how many there were; at the end, too.

    Args:
        coded: in their order.
        max_length: tokens that the model reads of a note.
        every_s: seconds.
    """
    start = last = time.monotonic()
    notes = blank = cut = 0
    for one in coded:
        yield one
        notes, blank, cut = notes + 1, blank + (not one.tokens), cut + one.cut
        now = time.monotonic()
        if now - last >= every_s:
            _say(f"{notes} notes coded, {notes / (now - start):.1f} a second")
            last = now
    seconds = time.monotonic() - start
    _say(f"{notes} notes coded in {seconds:.1f} s, {notes / max(seconds, 1e-3):.1f} a second")
    if blank:
        _say(f"warning: {blank} notes have no text and got no codes")
    if cut:
        _say(f"warning: {cut} notes are longer than {max_length} tokens; the rest was not read")
