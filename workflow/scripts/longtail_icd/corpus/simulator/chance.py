"""Weighted choice with its sums prepared: numpy's own draws, many times faster."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np


class Chances:
    """Draws indices in proportion to weights, as ``rng.choice(len(weights), p=...)`` does."""

    def __init__(self, weights: Sequence[float] | np.ndarray):
        share = np.asarray(weights, dtype=float)
        sums = (share / share.sum()).cumsum()
        self._sums = sums / sums[-1]
        self._list = self._sums.tolist()

    def one(self, rng: np.random.Generator) -> int:
        """Return one index."""
        return bisect_right(self._list, rng.random())

    def many(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Return ``size`` indices."""
        return np.searchsorted(self._sums, rng.random(size), side="right")
