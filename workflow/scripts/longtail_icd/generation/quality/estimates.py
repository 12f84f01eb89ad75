"""Means, medians and ratios with bootstrap intervals over notes."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, bootstrap

RESAMPLES = 1000
CONFIDENCE = 0.95
_BATCH = 100  # resamples that are held at once
_SEED = 1


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval.

    Attributes:
        value: null: nothing to compute it from.
        n: notes, codes or answers that it comes from.
        ci_low: null: no interval, as ci_high.
        ci_high: see there.
    """

    value: float | None
    n: int
    ci_low: float | None = None
    ci_high: float | None = None


def _ratio(hits: np.ndarray, counts: np.ndarray, axis: int) -> np.ndarray:
    return hits.sum(axis=axis) / counts.sum(axis=axis)


def _estimate(columns: tuple[np.ndarray, ...], statistic, n: int) -> Estimate:
    notes = len(columns[0])
    if not notes:
        return Estimate(None, 0)
    value = float(statistic(*columns, axis=0))
    if notes < 2:
        return Estimate(value, n)
    interval = bootstrap(
        columns,
        statistic,
        n_resamples=RESAMPLES,
        batch=_BATCH,
        vectorized=True,
        paired=True,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Estimate(value, n, float(interval.low), float(interval.high))


def mean(values: np.ndarray) -> Estimate:
    """Return the mean over notes."""
    return _estimate((np.asarray(values, dtype=float),), np.mean, len(values))


def median(values: np.ndarray) -> Estimate:
    """Return the median over notes."""
    return _estimate((np.asarray(values, dtype=float),), np.median, len(values))


def ratio(hits: np.ndarray, counts: np.ndarray) -> Estimate:
    """Return all hits over all counts; the notes are resampled, as a note's codes go together.

    Args:
        hits: per note.
        counts: per note; n is their sum, and notes with none are left out.
    """
    hits, counts = np.asarray(hits, dtype=float), np.asarray(counts, dtype=float)
    some = counts > 0
    return _estimate((hits[some], counts[some]), _ratio, int(counts.sum()))


def proportion(hits: int, n: int) -> Estimate:
    """Return hits out of n independent answers, with Wilson's interval."""
    if not n:
        return Estimate(None, 0)
    interval = binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(hits / n, n, float(interval.low), float(interval.high))
