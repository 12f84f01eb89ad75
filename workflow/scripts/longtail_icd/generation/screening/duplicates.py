"""Notes that say nearly the same words: Jaccard similarity of their word triples, by MinHash."""

from collections.abc import Iterable

import numpy as np
from datasketch import MinHash, MinHashLSH

from longtail_icd.generation.screening.ngrams import ngram_hashes
from longtail_icd.generation.screening.words import normalised_words

SHINGLE = 3  # words
PERMUTATIONS = 128
_FIRST = MinHash(PERMUTATIONS, seed=1, scheme="affine32", hashfunc=int)
_BITS = np.uint64(0xFFFFFFFF)
# Find rather too many pairs than too few: each is compared afterwards.
_RECALL = (0.1, 0.9)


def signature(text: str) -> MinHash:
    """Return the MinHash of a text's word triples; the same everywhere."""
    sketch = _FIRST.copy()
    hashes = ngram_hashes(normalised_words(text), SHINGLE) & _BITS
    sketch.update_batch(hashes.tolist())
    return sketch


class AnchorDuplicates:
    """The notes of one anchor that were let through so far.

    Args:
        threshold: similarity (0 to 1) from which on two notes are the same; null: never.
    """

    def __init__(self, threshold: float | None):
        self._threshold = threshold
        self._kept: list[MinHash] = []

    def seen(self, text: str) -> bool:
        """Return whether a note is a near-duplicate of an earlier one; if not, remember it."""
        if self._threshold is None:
            return False
        sketch = signature(text)
        if any(sketch.jaccard(other) >= self._threshold for other in self._kept):
            return True
        self._kept.append(sketch)
        return False


def near_duplicates(texts: Iterable[str], threshold: float) -> list[bool]:
    """Return for each text whether one before it, itself no duplicate, is nearly the same.

    Args:
        texts: the notes of a corpus in a fixed order; only their signatures are held.
        threshold: similarity (0 to 1) from which on two notes are the same.
    """
    index = MinHashLSH(threshold, PERMUTATIONS, weights=_RECALL)
    kept: dict[int, MinHash] = {}
    found = []
    for number, text in enumerate(texts):
        sketch = signature(text)
        same = any(sketch.jaccard(kept[other]) >= threshold for other in index.query(sketch))
        if not same:
            index.insert(number, sketch)
            kept[number] = sketch
        found.append(same)
    return found
