"""Hashes of word n-grams, and which of them the train notes have."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from longtail_icd.common.hashing import hash64

MEMORY_NGRAM = 13  # words; the length that audits of memorised text use
MOST_NGRAMS = 1 << 24  # that are held: 0.13 GB, and 0.8 GB for a while as they are counted
BOILERPLATE_NOTES = 5  # an n-gram in so many train notes is everyone's
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xFF51AFD7ED558CCD)

_hash = lru_cache(maxsize=1 << 18)(hash64)


def ngram_hashes(words: list[str], length: int) -> np.ndarray:
    """Return a 64-bit hash of each n-gram of words, in order.

    Args:
        words: of a text, normalised.
        length: words of an n-gram.

    Returns:
        uint64, ``max(len(words) - length + 1, 0)`` of them.
    """
    count = len(words) - length + 1
    if count <= 0:
        return np.empty(0, dtype=np.uint64)
    hashes = np.array([_hash(word) for word in words], dtype=np.uint64)
    total = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        total = total * _BASE + hashes[offset : offset + count]
    total = (total ^ (total >> np.uint64(33))) * _MIX
    return total ^ (total >> np.uint64(33))


def _sampled(hashes: np.ndarray, rate: int) -> np.ndarray:
    """Return one in ``rate`` of the hashes; which ones depends on the n-gram alone."""
    return hashes[hashes % np.uint64(rate) == 0]


def _in_sorted(wanted: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return which of ``wanted`` are in the sorted ``values``."""
    if not len(values):
        return np.zeros(len(wanted), dtype=bool)
    places = np.searchsorted(values, wanted).clip(max=len(values) - 1)
    return values[places] == wanted


@dataclass(frozen=True)
class SeenNgrams:
    """The 13-grams of the train notes without their texts: hashes of 8 bytes.

    Where train notes have more than ``MOST_NGRAMS``, only one in ``rate`` is held and looked at.
    What two texts share is sampled in both, so a share of n-grams stays right on average.

    Attributes:
        known: sorted hashes of n-grams in fewer than ``BOILERPLATE_NOTES`` notes.
        boilerplate: the others, sorted.
        rate: 1, 2, 4, …
    """

    known: np.ndarray
    boilerplate: np.ndarray
    rate: int

    @classmethod
    def of(cls, notes: Iterable[list[str]], most: int = MOST_NGRAMS) -> "SeenNgrams":
        """Count in how many notes each n-gram stands; the notes' order does not matter.

        Args:
            notes: the normalised words of each train note.
            most: n-grams, each note's once, that may be held.
        """
        held: list[np.ndarray] = []
        size, rate = 0, 1
        for words in notes:
            held.append(np.unique(_sampled(ngram_hashes(words, MEMORY_NGRAM), rate)))
            size += len(held[-1])
            while size > most:
                rate *= 2
                held = [_sampled(hashes, rate) for hashes in held]
                size = sum(map(len, held))
        every = np.concatenate([np.empty(0, np.uint64), *held])
        held.clear()
        distinct, notes_with = np.unique(every, return_counts=True)
        common = notes_with >= BOILERPLATE_NOTES
        return cls(distinct[~common], distinct[common], rate)

    def memorised(self, words: list[str], exemplar: list[str]) -> float:
        """Return the share of a text's n-grams that a train note or its exemplar has.

        Boilerplate is no one's in particular and does not count. 0 for a text without n-grams.

        Args:
            words: of the text, normalised.
            exemplar: of the real notes that the prompt showed; may be empty.
        """
        # Sorted, for look-ups that are close together.
        own = np.sort(_sampled(ngram_hashes(words, MEMORY_NGRAM), self.rate))
        if not len(own):
            return 0.0
        seen = np.isin(own, ngram_hashes(exemplar, MEMORY_NGRAM)) | _in_sorted(own, self.known)
        return float(np.mean(seen & ~_in_sorted(own, self.boilerplate)))
