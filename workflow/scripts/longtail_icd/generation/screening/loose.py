"""Titles of a classification in a clinician's words: content words, in any order, in one clause."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

from longtail_icd.common.errors import UserError
from longtail_icd.generation.evidence import Span
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
        self._same = {word: group[0] for group in lists["same"] for word in group}

    def read_as(self, word: str) -> str:
        """Return the word that a word is read as."""
        return self._same.get(word, word)

    def content(self, wording: str) -> frozenset[str]:
        """Return the words of a wording that matter; none if they would not be enough.

        Before: ``Malignant neoplasm of prostate``. After: cancer, prostate.
        """
        words = {self.read_as(word) for word in normalised_words(wording)} - self._generic
        if len(words) == 1 and len(min(words)) < LONE_WORD:
            return frozenset()
        return frozenset(words)


class LooseIndex:
    """Where each word of a note stands, clause by clause."""

    def __init__(self, words: Words, equivalents: Equivalents):
        self._places: dict[str, dict[int, list[int]]] = defaultdict(dict)
        first = 0
        for clause, end in enumerate(words.clauses):
            for at in range(first, end):
                read = equivalents.read_as(words.words[at])
                self._places[read].setdefault(clause, []).append(at)
            first = end

    def find(self, content: frozenset[str]) -> list[Span]:
        """Return words [first, last) that hold all content words, at most one place a clause."""
        if not content or not all(word in self._places for word in content):
            return []
        where = [self._places[word] for word in content]
        found = []
        for clause in sorted(set(where[0]).intersection(*where[1:])):
            at = [places[clause][0] for places in where]
            if max(at) - min(at) < REACH:
                found.append((min(at), max(at) + 1))
        return found


def load_equivalents(path: str | Path) -> Equivalents:
    """Read the lists of words.

    Raises:
        UserError: the file is missing, or a list is.
    """
    try:
        return Equivalents(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(f"{path}: no such list of equivalent words") from None
    except KeyError as error:
        raise UserError(f"{path}: list {error.args[0]} is missing") from None
