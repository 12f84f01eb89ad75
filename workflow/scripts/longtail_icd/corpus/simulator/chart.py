"""What fills the notes of a hospital at full size: thousands of sentences that mean no code.

A few dozen fixed sentences would make a text that repeats itself within each note: it would
compress tenfold and be read as fast as no real note is. The sentences are made once, from
templates with slots; a note takes some of them by chance.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from longtail_icd.corpus.simulator.chance import Chances

SLOT = re.compile(r"\{(\w+)\}")
OTHER_SIGMA = 0.7  # of the lognormal length of notes of other categories (ours)
RESULTS_SHARE = 0.3  # of what a summary is filled with
# Where the rest of it stands: history, course, instructions.
PLACES, PLACE_SHARES = ("history", "course", "instructions"), (0.3, 0.85)


def make_sentences(
    rng: np.random.Generator, templates: list[str], slots: Mapping[str, list[str]], number: int
) -> list[str]:
    """Fill ``number`` templates, chosen by chance.

    Before: ``"HR {dd}, {sign} {look}."``. After: for example ``"HR 84, gait unchanged."``.
    """

    def fill(slot: re.Match[str]) -> str:
        name = slot[1]
        if set(name) == {"d"}:
            return str(rng.integers(10 ** (len(name) - 1), 10 ** len(name)))
        return slots[name][rng.integers(len(slots[name]))]

    return [SLOT.sub(fill, templates[one]) for one in rng.integers(len(templates), size=number)]


def _mean_words(sentences: list[str]) -> float:
    return sum(len(sentence.split()) for sentence in sentences) / len(sentences)


class Chart:
    """The sentences and how notes are filled with them."""

    def __init__(self, rng: np.random.Generator, prose: Mapping[str, Any], sentences: int):
        """Make ``sentences`` sentences, a third of them results, from ``prose["chart"]``."""
        templates = prose["chart"]
        results = max(1, sentences // 3)
        slots = templates["slots"]
        self._results = make_sentences(rng, templates["results"], slots, results)
        self._narrative = make_sentences(
            rng, templates["narrative"], slots, max(1, sentences - results)
        )
        self._all = [*self._results, *self._narrative]
        self._words = [_mean_words(one) for one in (self._results, self._narrative, self._all)]
        self.categories = list(templates["categories"])
        self._chances = Chances(list(templates["categories"].values()))

    def fill(self, rng: np.random.Generator, sections: dict[str, list[str]], words: int) -> None:
        """Add about ``words`` words to a summary's sections, among what stands there.

        The first sentence of the history stays the first.
        """
        if words <= 0:
            return
        results, narrative, _ = self._words
        chosen = rng.integers(len(self._results), size=round(RESULTS_SHARE * words / results))
        sections["results"].extend(self._results[one] for one in chosen)
        size = round((1 - RESULTS_SHARE) * words / narrative)
        told = [self._narrative[one] for one in rng.integers(len(self._narrative), size=size)]
        first, second = (round(share * size) for share in PLACE_SHARES)
        parts = (told[:first], told[first:second], told[second:])
        for place, part in zip(PLACES, parts, strict=True):
            head = 1 if place == "history" else 0
            lines = sections[place][head:] + part
            sections[place][head:] = [lines[one] for one in rng.permutation(len(lines))]

    def draw_categories(self, rng: np.random.Generator, size: int) -> list[str]:
        """Draw the categories of ``size`` other notes."""
        return [self.categories[one] for one in self._chances.many(rng, size)]

    def draw_texts(self, rng: np.random.Generator, size: int, words: float) -> list[str]:
        """Write ``size`` notes of other categories, ``words`` words long in the median."""
        lengths = words * np.exp(OTHER_SIGMA * rng.normal(size=size)) / self._words[2]
        ends = np.cumsum(np.maximum(1, np.rint(lengths)).astype(int))
        sentences = self._all
        chosen = rng.integers(len(sentences), size=int(ends[-1]) if size else 0).tolist()
        texts, start = [], 0
        for end in ends.tolist():
            texts.append("\n".join([sentences[one] for one in chosen[start:end]]))
            start = end
        return texts
