"""How the codes of the label space are worded, and which wordings can be relied on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import polars as pl

from longtail_icd.common.hashing import hash64
from longtail_icd.generation.screening.phrases import PhraseIndex
from longtail_icd.generation.screening.words import Words, phrase_of

# Codes that are no conditions of their own: symptoms, causes, contact with health services.
_NO_CONDITION = re.compile(r"^(?:7[89]\d(?:\.|$)|[VE]\d|[RVWXYZ]\d)")
_ICD10_E = re.compile(r"^E\d\d(?:\.|$)")  # endocrine in ICD-10, causes in ICD-9 (E880)
MIN_LETTERS = 3  # of a wording of one word
SEEN = 3  # train notes from which on a wording's own record counts
RELIABLE = 0.5  # share of them that have the code


def is_condition(code: str, kind: str) -> bool:
    """Return whether a code is a disease or injury: 486 and E11.9 are, 780.6, V45.81, R50.9 not."""
    return kind == "diagnosis" and (
        _ICD10_E.match(code) is not None or _NO_CONDITION.match(code) is None
    )


@dataclass(frozen=True)
class Term:
    """One wording: the codes it may mean, frequent ones first, and whether it is evidence."""

    codes: list[str]
    category: str | None  # that all its codes share, if they do and are conditions
    long: bool  # several words, or MIN_LETTERS in one


class Terms:
    """All wordings of the label space.

    Args:
        tiers: a table `plan/tiers`, the label space.
        taxonomy: a table `terminology/codes`.
        synonyms: a table `terminology/synonyms`.
    """

    def __init__(self, tiers: pl.DataFrame, taxonomy: pl.DataFrame, synonyms: pl.DataFrame):
        space = tiers.join(taxonomy.drop("kind"), on=["version", "code"], how="left").sort(
            "n_train", "code", descending=[True, False]
        )
        rows = list(space.select("code", "kind", "title", "category", "n_train").iter_rows())
        self.rank = {code: rank for rank, (code, *_) in enumerate(rows)}
        self.title = {code: title or code for code, _, title, *_ in rows}
        self.category = {code: place or code for code, _, _, place, _ in rows}
        self._conditions = {code for code, kind, *_ in rows if is_condition(code, kind)}
        wordings = synonyms.join(tiers, on=["version", "code"], how="semi")
        said = [*self.title.items(), *wordings.select("code", "synonym").iter_rows()]
        meanings: dict[str, set[str]] = {}
        for code, wording in said:
            if phrase := phrase_of(wording):
                meanings.setdefault(phrase, set()).add(code)
        phrases = sorted(meanings)
        self.index = PhraseIndex(phrases)
        self.terms = [self._term(phrase, meanings[phrase]) for phrase in phrases]
        self.notes = [0] * len(phrases)
        self.right = [0] * len(phrases)

    def _term(self, phrase: str, codes: set[str]) -> Term:
        places = {self.category[code] for code in codes}
        clear = len(places) == 1 and codes <= self._conditions
        return Term(
            sorted(codes, key=self.rank.__getitem__),
            min(places) if clear else None,
            "  " in phrase or sum(map(str.isalpha, phrase)) >= MIN_LETTERS,
        )

    def learn(self, said: Iterable[int], categories: set[str]) -> None:
        """Count which wordings of one train note came with a code of their category.

        Args:
            said: numbers of the terms by which the note says that the patient has something.
            categories: of the note's codes.
        """
        for number in set(said):
            self.notes[number] += 1
            self.right[number] += self.terms[number].category in categories

    def recall(self, notes: list[int], right: list[int]) -> None:
        """Take over what was counted before, by terms of the same :attr:`digest`.

        Args:
            notes: per term the train notes that use it.
            right: per term those of them with a code of its category.
        """
        self.notes, self.right = notes, right

    @property
    def digest(self) -> int:
        """A hash of all wordings and their categories: of what counts are counts of."""
        categories = (term.category or "" for term in self.terms)
        return hash64("\n".join(chain(self.index.phrases, categories)))

    def reliable(self, number: int) -> bool:
        """Return whether a wording says that its code should have been given.

        It means codes of one category, all conditions. If train notes use it, at least half of
        these have the category; if not, it has three letters at least.
        """
        term = self.terms[number]
        if term.category is None:
            return False
        if self.notes[number] >= SEEN:
            return self.right[number] >= RELIABLE * self.notes[number]
        return term.long

    def matches(self, words: Words) -> list[tuple[int, int, int]]:
        """Return first word, last word + 1 and number of each term in a note."""
        return self.index.find(words)
