"""A note as a row of normalised words, each of which knows where it stands in the text."""

import re
from bisect import bisect_right
from functools import cached_property, lru_cache
from itertools import accumulate

from longtail_icd.generation.evidence import Span, folded

_WORD = re.compile(r"[^\W_]+")
# Where a clause ends: punctuation before white space, an empty line, a list item, a heading.
_BREAK = re.compile(r"[.;!?](?=\s|\Z)|\n[ \t]*\n|\n(?=[ \t]*(?:[-*•#]|\d+[.)]|[A-Z][^\n:]{0,40}:))")


@lru_cache(maxsize=1 << 16)
def _singular(word: str) -> str:
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def normalised_words(text: str) -> list[str]:
    """Return a text's words, lower-cased, without a plural's ending.

    Before: ``Arteries, AKIs``. After: ``[artery, aki]``.
    """
    lower = text.lower()
    if len(lower) != len(text):  # a few letters grow: words would no longer be in step
        lower = folded(text)
    return [_singular(word) if word[-1] == "s" else word for word in _WORD.findall(lower)]


def spaced(words: list[str]) -> str:
    """Join words so that each has a blank of its own on both sides: phrases match whole words."""
    return f" {'  '.join(words)} " if words else ""


def phrase_of(wording: str) -> str:
    """Return a wording as it would stand in :attr:`Words.joined`; empty if it has no word.

    Before: ``Heart failures, acute``. After: `` heart  failure  acute ``.
    """
    return spaced(normalised_words(wording))


class Words:
    """The words of a text.

    Attributes:
        text: the text as it is.
        words: each word normalised.
        joined: all of them, see :func:`spaced`.
    """

    def __init__(self, text: str):
        self.text = text
        self.words = normalised_words(text)
        self.joined = spaced(self.words)

    @cached_property
    def spans(self) -> list[Span]:
        """Characters [start, end) of each word."""
        return [match.span() for match in _WORD.finditer(self.text)]

    @cached_property
    def starts(self) -> list[int]:
        """Where each word's leading blank stands in ``joined``."""
        return [0, *accumulate(len(word) + 2 for word in self.words)][: len(self.words)]

    def at(self, start: int, end: int) -> Span:
        """Return the words [first, last) of the characters [start, end) of ``joined``."""
        return bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1)

    def find(self, phrase: str) -> list[Span]:
        """Return the words [first, last) of each place where a phrase stands."""
        places, start = [], self.joined.find(phrase)
        while start >= 0:
            places.append(self.at(start, start + len(phrase)))
            start = self.joined.find(phrase, start + 1)
        return places

    def characters(self, place: Span) -> Span:
        """Return the characters [start, end) of the text that words [first, last) take up."""
        first, last = place
        return self.spans[first][0], self.spans[last - 1][1]

    @cached_property
    def clauses(self) -> list[int]:
        """The first word of each clause after the first, and the number of words; sorted."""
        begins = [start for start, _ in self.spans]
        ends = {bisect_right(begins, match.start()) for match in _BREAK.finditer(self.text)}
        return sorted({*ends, len(self.words)})
