"""A note as a row of normalised words, each of which knows where it stands in the text."""

import re
from bisect import bisect_right
from functools import cached_property, lru_cache
from itertools import accumulate

from longtail_icd.generation.evidence import Span, folded

_WORD = re.compile(r"[^\W_]+")
# A word, or where a clause ends: punctuation before white space, an empty line, a list item, a
# heading.
_PIECE = re.compile(
    rf"{_WORD.pattern}|[.;!?](?=\s|\Z)|\n[ \t]*\n"
    r"|\n(?=[ \t]*(?:[-*•#]|\d+[.)]|[a-z][^\n:]{0,40}:))"
)


@lru_cache(maxsize=1 << 16)
def _singular(word: str) -> str:
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def _lower(text: str) -> str:
    """Lower-case a text; where that would make it longer, letter by letter, keeping its length."""
    lower = text.lower()
    return lower if len(lower) == len(text) else folded(text)


def normalised_words(text: str) -> list[str]:
    """Return a text's words, lower-cased, without a plural's ending.

    Before: ``Arteries, Grafts``. After: ``[artery, graft]``.
    """
    found = _WORD.findall(_lower(text))
    return [_singular(word) if word[-1] == "s" else word for word in found]


def spaced(words: list[str]) -> str:
    """Join words so that each has a blank of its own on both sides: phrases match whole words."""
    return f" {'  '.join(words)} " if words else ""


@lru_cache(maxsize=1 << 16)
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
        clauses: the first word of each clause after the first, and the number of words; sorted.
    """

    def __init__(self, text: str):
        self.text = text
        self.words: list[str] = []
        ends = {0}
        for piece in _PIECE.findall(_lower(text)):
            if piece[0].isalnum():
                self.words.append(_singular(piece) if piece[-1] == "s" else piece)
            else:
                ends.add(len(self.words))
        self.joined = spaced(self.words)
        self.clauses = sorted({*ends - {0}, len(self.words)})

    @cached_property
    def spans(self) -> list[Span]:
        """Characters [start, end) of each word."""
        return [match.span() for match in _WORD.finditer(_lower(self.text))]

    @cached_property
    def starts(self) -> list[int]:
        """Where each word's leading blank stands in ``joined``, and its length."""
        return list(accumulate([len(word) + 2 for word in self.words], initial=0))

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The places of each different word."""
        places: dict[str, list[int]] = {}
        for at, word in enumerate(self.words):
            places.setdefault(word, []).append(at)
        return places

    def at(self, start: int, end: int) -> Span:
        """Return the words [first, last) of the characters [start, end) of ``joined``."""
        return bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1)

    def find(self, phrase: str) -> list[Span]:
        """Return the words [first, last) of each place where a phrase stands."""
        words = phrase.split()
        return [
            (at, at + len(words))
            for at in self.places.get(words[0], ())
            if self.words[at : at + len(words)] == words
        ]

    def characters(self, place: Span) -> Span:
        """Return the characters [start, end) of the text that words [first, last) take up."""
        first, last = place
        return self.spans[first][0], self.spans[last - 1][1]
