"""Whether a note's length and manner are those of real notes."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WINDOW = 100  # words; a longer text has a lower type/token ratio, so it is taken of stretches
LEAST_SPREAD = 1e-3  # where all train notes are alike
FEATURES = ("length", "abbreviations", "numerals", "type_token")
_NUMERAL = re.compile(r"(?<!\S)[^\s\d]*\d")
_MARKS = ",.;:()"
# Abbreviations that are not in capitals.
_LOWER = frozenset(
    (
        *("pt", "hx", "dx", "tx", "rx", "fx", "sx", "yo", "prn", "bid", "tid", "qid", "qhs", "qd"),
        *("po", "iv", "im", "abd", "wk", "wks", "hr", "hrs", "neg", "pos", "w/", "w/o", "f/u"),
        *("d/c", "p/w", "h/o", "s/p", "c/o", "r/o", "y/o", "a/w", "b/l"),
    )
)


def _is_abbreviation(word: str) -> bool:
    """Return whether a word is written short: ``HTN``, ``(CT)``, ``s/p``; not ``HISTORY``."""
    word = word.strip(_MARKS)
    return word in _LOWER or (2 <= len(word) <= 5 and word.isupper())


def measure(text: str) -> np.ndarray:
    """Return the :data:`FEATURES` of a text.

    Returns:
        float32: logarithm of the number of words; abbreviations and numerals per 100 words;
        distinct words per word, mean over stretches of 100 words.
    """
    words, lower = text.split(), text.lower().split()
    count = max(len(words), 1)
    counts = Counter(words)
    abbreviations = sum(counts[word] for word in counts if _is_abbreviation(word))
    numerals = len(_NUMERAL.findall(text))
    starts = range(0, max(len(lower) - WINDOW, 0) + 1, WINDOW)
    stretches = [lower[at : at + WINDOW] for at in starts]
    ratio = np.mean([len(set(stretch)) / max(len(stretch), 1) for stretch in stretches])
    return np.array(
        [np.log(count), 100 * abbreviations / count, 100 * numerals / count, ratio],
        dtype=np.float32,
    )


@dataclass(frozen=True)
class Style:
    """The quartiles of each feature over the train notes.

    Attributes:
        low: lower quartiles; none without train notes.
        high: upper quartiles.
    """

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, measured: Sequence[np.ndarray]) -> "Style":
        """Return the quartiles of what :func:`measure` says of each train note."""
        if not measured:
            return cls(np.empty(0), np.empty(0))
        low, high = np.quantile(np.stack(measured), [0.25, 0.75], axis=0)
        return cls(low, high)

    def rarity(self, text: str) -> dict[str, float]:
        """Return per feature how far out the text is, beyond real notes on either side.

        In units of the train notes' interquartile range from the nearer quartile, the box plot's
        measure: 0 between the quartiles, 1.5 at a box plot's whisker. 0 without train notes.
        """
        if not len(self.low):
            return dict.fromkeys(FEATURES, 0.0)
        value = measure(text)
        beyond = np.maximum(np.maximum(self.low - value, value - self.high), 0)
        spread = np.maximum(self.high - self.low, LEAST_SPREAD)
        return dict(zip(FEATURES, (beyond / spread).tolist(), strict=True))
