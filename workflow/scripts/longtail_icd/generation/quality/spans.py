"""A note cut where evidence begins and ends, so that a page can mark it."""

from dataclasses import dataclass
from itertools import pairwise

from longtail_icd.generation.evidence import Span


@dataclass(frozen=True)
class Piece:
    """A stretch of a note.

    Attributes:
        text: never empty.
        codes: numbers of the codes that it is evidence for, in order; none: it is for no code.
    """

    text: str
    codes: list[int]


def pieces(text: str, evidence: list[list[Span]]) -> list[Piece]:
    """Cut a note at all ends of its evidence; the pieces put together are the note.

    Before: ``acute chf`` with evidence (0, 9) of code 0 and (6, 9) of code 1. After: ``acute `` of
    code 0, ``chf`` of codes 0 and 1.

    Args:
        text: of the note.
        evidence: character spans [start, end) of each code; what lies outside the text is cut off.
    """
    ends = {end for spans in evidence for span in spans for end in span}
    cuts = sorted({0, len(text), *(min(max(end, 0), len(text)) for end in ends)})
    return [
        Piece(
            text[start:end],
            [
                number
                for number, spans in enumerate(evidence)
                if any(first <= start and end <= last for first, last in spans)
            ],
        )
        for start, end in pairwise(cuts)
    ]
