"""Whether a note's length and manner are those of real notes."""

import re
from collections.abc import Iterable

import numpy as np

WINDOW = 100  # words; a longer text has a lower type/token ratio, so it is taken of stretches
FEATURES = ("length", "abbreviations", "numerals", "type_token")
_NUMERAL = re.compile(r"(?<!\S)[^\s\d]*\d")
_MARKS = ",.;:()"
# Abbreviations that are not in capitals.
_LOWER = frozenset(
    [
        "pt",
        "hx",
        "dx",
        "tx",
        "rx",
        "fx",
        "sx",
        "yo",
        "prn",
        "bid",
        "tid",
        "qid",
        "qhs",
        "qd",
        "po",
        "iv",
        "im",
        "abd",
        "wk",
        "wks",
        "hr",
        "hrs",
        "neg",
        "pos",
        "w/",
        "w/o",
        "f/u",
        "d/c",
        "p/w",
        "h/o",
        "s/p",
        "c/o",
        "r/o",
        "y/o",
        "a/w",
        "b/l",
    ]
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
    abbreviations = sum(map(_is_abbreviation, words))
    numerals = len(_NUMERAL.findall(text))
    starts = range(0, max(len(lower) - WINDOW, 0) + 1, WINDOW)
    stretches = [lower[at : at + WINDOW] for at in starts]
    ratio = np.mean([len(set(stretch)) / max(len(stretch), 1) for stretch in stretches])
    return np.array(
        [np.log(count), 100 * abbreviations / count, 100 * numerals / count, ratio],
        dtype=np.float32,
    )


class Style:
    """The distribution of each feature over the train notes.

    Attributes:
        values: features x notes, each feature sorted.
    """

    def __init__(self, values: np.ndarray):
        self.values = values

    @classmethod
    def of(cls, measured: Iterable[np.ndarray]) -> "Style":
        """Sort what :func:`measure` says of each train note."""
        rows = list(measured)
        table = np.stack(rows, axis=1) if rows else np.empty((len(FEATURES), 0), np.float32)
        return cls(np.sort(table, axis=1))

    def rarity(self, text: str) -> dict[str, float]:
        """Return per feature how far out the text is: a two-sided distance beyond real notes.

        In units of the train notes' interquartile range from the nearer quartile, the box plot's
        measure: 0 between the quartiles, 1.5 at a box plot's whisker. 0 without train notes.
        """
        if self.values.shape[1] == 0:
            return dict.fromkeys(FEATURES, 0.0)
        low, high = np.quantile(self.values, [0.25, 0.75], axis=1)
        value = measure(text)
        beyond = np.maximum(np.maximum(low - value, value - high), 0)
        spread = np.maximum(high - low, 1e-3)
        return dict(zip(FEATURES, (beyond / spread).tolist(), strict=True))
