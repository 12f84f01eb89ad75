"""Titles of a classification in a clinician's words: content words, in any order, in one clause."""

from bisect import bisect_right
from itertools import chain
from pathlib import Path
from typing import Any

from longtail_icd.generation.evidence import Span
from longtail_icd.generation.screening.word_lists import load_lists
from longtail_icd.generation.screening.words import Words, normalised_words

REACH = 8  # words that the content words of a title may be spread over
LONE_WORD = 5  # letters of a content word that is alone


class Equivalents:
    """Which words titles can do without, and which stand for one another.

    Args:
        lists: ``generic`` words, and under ``same`` lists of words read as their first.
    """

    def __init__(self, lists: dict[str, Any]):
        self._generic = set(normalised_words(" ".join(lists["generic"])))
        self._groups = {group[0]: group for group in lists["same"]}
        self._same = {word: group[0] for group in lists["same"] for word in group}

    def places(self, word: str, words: Words) -> list[int]:
        """Return where a note has the word or one that is read as it."""
        found = (words.places.get(one, ()) for one in self._groups.get(word, [word]))
        return sorted(chain.from_iterable(found))

    def content(self, wording: str) -> frozenset[str]:
        """Return the words of a wording that matter; none if they would not be enough.

        Before: ``Malignant neoplasm of prostate``. After: cancer, prostate.
        """
        words = {self._same.get(word, word) for word in normalised_words(wording)} - self._generic
        if len(words) == 1 and len(min(words)) < LONE_WORD:
            return frozenset()
        return frozenset(words)


def find_loosely(content: frozenset[str], words: Words, equivalents: Equivalents) -> list[Span]:
    """Return words [first, last) that hold all content words, at most one place a clause."""
    where: list[dict[int, int]] = []
    for word in content:
        places = equivalents.places(word, words)
        # Of each clause the first place.
        where.append({bisect_right(words.clauses, at): at for at in reversed(places)})
        if not places:
            return []
    found = []
    for clause in sorted(set.intersection(*map(set, where))) if where else ():
        at = [places[clause] for places in where]
        if max(at) - min(at) < REACH:
            found.append((min(at), max(at) + 1))
    return found


def load_equivalents(path: str | Path) -> Equivalents:
    """Read the lists of words.

    Raises:
        UserError: the file is missing, or a list is.
    """
    return load_lists(path, Equivalents)
