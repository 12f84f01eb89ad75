"""What a note says of its codes, and of codes that it should not speak of."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, takewhile
from typing import Any

from longtail_icd.generation.evidence import Span
from longtail_icd.generation.screening.loose import Equivalents, find_loosely
from longtail_icd.generation.screening.status import Status, StatusRules, verdict_of
from longtail_icd.generation.screening.terms import Terms
from longtail_icd.generation.screening.words import Words, phrase_of, spaced

# Codes whose condition is over by definition: history, status, late effects.
_OF_THE_PAST = re.compile(
    r"\b(?:history|status|old|late effects?|sequelae?|absence|presence)\b", re.I
)
LONG_TITLE = 4  # words; a shorter title is how anyone would say it
RUN = 0.8  # share of a title's words, one after another, that make a copy of it


@dataclass
class Finding:
    """What a note says of one code of its set.

    Attributes:
        known: the code's entry in the request's knowledge.
        verdict: stated, not_found, negated, family or historical.
        places: words [first, last) of every mention that the verdict rests on.
        copied: nothing but the official title, word for word, supports the code.
    """

    known: dict[str, Any]
    verdict: str
    places: list[Span] = field(default_factory=list)
    copied: bool = False


def copied_title(title: str, words: Words) -> Span | None:
    """Return the words [first, last) where a note repeats the better part of a long title.

    Before: ``Cirrhosis of liver without mention of alcohol``, a note with ``cirrhosis of liver
    without mention of``. After: where that stands: 6 of 7 words in a row, at least 80 %.
    """
    title_words = phrase_of(title).split()
    if len(title_words) < LONG_TITLE:
        return None
    length = max(math.ceil(RUN * len(title_words)), LONG_TITLE)
    for start in range(len(title_words) - length + 1):
        for first, last in words.find(spaced(title_words[start : start + length])):
            more = zip(title_words[start + length :], words.words[last:], strict=False)
            return first, last + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], more))
    return None


def _overlap(place: Span, other: Span) -> bool:
    return place[0] < other[1] and other[0] < place[1]


def _inside(place: Span, other: Span) -> bool:
    return other[0] <= place[0] and place[1] <= other[1]


class Fidelity:
    """Looks codes up in notes.

    Args:
        rules: triggers of negation, family and history.
        terms: wordings of the label space.
        equivalents: words that stand for one another.
    """

    def __init__(self, rules: StatusRules, terms: Terms, equivalents: Equivalents):
        self._rules = rules
        self.terms = terms
        self._equivalents = equivalents

    def read(self, text: str) -> "Reading":
        """Return a note with everything looked up that does not depend on its request."""
        words = Words(text)
        return Reading(words, self._rules.flags(words), self.terms.matches(words))

    def status(self, place: Span, reading: "Reading") -> Status:
        """Return what the note says of the condition at words [first, last)."""
        return self._rules.of(place, reading.flags, reading.words)

    def find(self, known: dict[str, Any], planned: list[str], reading: "Reading") -> Finding:
        """Return what a note says of one code.

        A mention counts if a wording of the code stands there, and not as a part of a longer
        wording of another one: ``hypertension`` in ``pulmonary hypertension``. Without any such
        mention, the content words of a wording may stand in any order in one clause.

        Args:
            known: title, wording and synonyms of the code.
            planned: further words that show the code, from the note's plan.
            reading: the note.
        """
        words = reading.words
        wordings = {known["title"], known["wording"], *known.get("synonyms", []), *planned}
        phrases = {phrase for wording in wordings if (phrase := phrase_of(wording))}
        places = self._of_its_own(known["code"], map(words.find, phrases), reading)
        if not places:
            contents = {self._equivalents.content(wording) for wording in wordings}
            loose = (find_loosely(content, words, self._equivalents) for content in contents)
            places = self._of_its_own(known["code"], loose, reading)
        title = copied_title(known["title"], words)
        statuses = {
            place: self.status(place, reading) for place in [*places, *([title] if title else [])]
        }
        past_counts = _OF_THE_PAST.search(known["title"]) is not None
        verdict = verdict_of(statuses.values(), past_counts=past_counts)
        if verdict == "stated":
            kept = [
                place
                for place, status in statuses.items()
                if not (status & ~Status.HISTORICAL if past_counts else status)
            ]
        else:
            kept = list(statuses)
        copied = title is not None and all(_overlap(place, title) for place in places)
        return Finding(known, verdict, sorted(kept), copied)

    def _of_its_own(self, code: str, found: Iterable[list[Span]], reading: "Reading") -> list[Span]:
        """Return the places that are no part of a longer wording of another category."""
        category = self.terms.category.get(code)
        places = []
        for place in chain.from_iterable(found):
            number = reading.owner(place)
            others = self.terms.terms[number].codes if number is not None else []
            if not others or category in {self.terms.category[other] for other in others}:
                places.append(place)
        return places

    def asserted(self, reading: "Reading") -> list[tuple[int, Span]]:
        """Return number and place of each term by which the note says what the patient has."""
        return [
            (number, (first, last))
            for first, last, number in reading.matches
            if self.status((first, last), reading) == 0
        ]

    def extra(
        self, codes: list[str], covered: list[Span], reading: "Reading"
    ) -> dict[str, list[Span]]:
        """Return codes outside the set that the note asserts, the most frequent first.

        One code per category, its most frequent; categories of the set are left out, for
        siblings, parents and children are a matter of detail.

        Args:
            codes: the set.
            covered: words that are evidence for the set already.
            reading: the note.
        """
        own = {self.terms.category.get(code) for code in codes}
        found: dict[str, list[Span]] = {}
        for number, place in self.asserted(reading):
            term = self.terms.terms[number]
            if term.category in own or not self.terms.reliable(number):
                continue
            if not any(_inside(place, other) for other in covered):
                found.setdefault(term.codes[0], []).append(place)
        first: dict[str | None, str] = {}
        for code in sorted(found, key=self.terms.rank.__getitem__):
            first.setdefault(self.terms.category[code], code)
        return {code: found[code] for code in first.values()}


class Reading:
    """A note with its words' status and the terms of the label space in it."""

    def __init__(self, words: Words, flags: list[int], matches: list[tuple[int, int, int]]):
        self.words = words
        self.flags = flags
        self.matches = matches
        self._owner: dict[int, int] = {
            word: at for at, (first, last, _) in enumerate(matches) for word in range(first, last)
        }

    def owner(self, place: Span) -> int | None:
        """Return the number of the term that words [first, last) are a mere part of, if any."""
        at = self._owner.get(place[0])
        if at is None or self._owner.get(place[1] - 1) != at:
            return None
        first, last, number = self.matches[at]
        return number if last - first > place[1] - place[0] else None
