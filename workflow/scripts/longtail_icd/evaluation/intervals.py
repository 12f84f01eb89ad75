"""Intervals, p-values and what a test set could have shown, each by a method that was measured.

``docs/evaluation.md`` has the coverage of every method (``benchmarks/coverage.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

PERCENTILE = "patient bootstrap, percentile"
JACKKNIFE = "patient jackknife, normal"
POWER = 0.8


@dataclass(frozen=True)
class Statistic:
    """A metric, or the difference of two, with what its interval is made from.

    Attributes:
        value: on the test set.
        samples: in each bootstrap sample of patients [samples].
        without: without each patient in turn [patients], for a metric whose bootstrap is too
            narrow: a sample that misses the one patient with a rare code has no such code, and a
            mean over codes loses it, but a fresh test set would have brought others.
        seed_variance: of the mean over seeds, where seeds count as drawn.
    """

    value: float
    samples: np.ndarray
    without: np.ndarray | None = None
    seed_variance: float = 0.0

    def minus(self, other: "Statistic") -> "Statistic":
        """Return the difference on the same patients."""
        without = None if self.without is None else self.without - other.without
        return Statistic(self.value - other.value, self.samples - other.samples, without)

    def standard_error(self) -> float:
        """Return the jackknife's standard error, or the standard deviation of the bootstrap.

        The jackknife errs on the safe side: its variance is at least the true one in expectation
        (Efron and Stein 1981).
        """
        if self.without is None:
            return float(self.samples.std(ddof=1))
        patients = len(self.without)
        variance = (patients - 1) * self.without.var() + self.seed_variance
        return float(np.sqrt(variance))


@dataclass(frozen=True)
class Interval:
    """An interval by the method that holds, beside the percentile bootstrap of patients.

    Attributes:
        low, high: its bounds.
        method: how they were found.
        naive_low, naive_high: the percentile bootstrap's bounds.
    """

    low: float
    high: float
    method: str
    naive_low: float
    naive_high: float


def interval(statistic: Statistic, confidence: float) -> Interval:
    """Return the interval of a statistic at ``confidence``, for example 0.95."""
    tail = (1 - confidence) / 2
    naive = [float(bound) for bound in np.quantile(statistic.samples, [tail, 1 - tail])]
    if statistic.without is None:
        return Interval(*naive, PERCENTILE, *naive)
    reach = norm.isf(tail) * statistic.standard_error()
    return Interval(statistic.value - reach, statistic.value + reach, JACKKNIFE, *naive)


def p_value(statistic: Statistic) -> float:
    """Return the two-sided p-value of a difference, by the method of its interval.

    Bootstrap: twice the smaller share of samples on one side of 0, never exactly 0. Jackknife:
    normal.
    """
    if statistic.without is None:
        samples = statistic.samples
        low = ((samples <= 0).sum() + 1) / (len(samples) + 1)
        high = ((samples >= 0).sum() + 1) / (len(samples) + 1)
        return float(min(1.0, 2 * min(low, high)))
    error = statistic.standard_error()
    if not error:
        return float(statistic.value == 0)
    return float(2 * norm.sf(abs(statistic.value) / error))


def mean_over_seeds(runs: Sequence[Statistic], draws: np.ndarray | None) -> Statistic:
    """Return the mean of one statistic over training seeds.

    Args:
        runs: one per seed, on the same patients.
        draws: how often each bootstrap sample draws each seed, [samples, seeds]; None: the
            seeds are taken as they are, and the interval is conditional on them.
    """
    values = np.array([run.value for run in runs])
    samples = np.stack([run.samples for run in runs], axis=1)
    drawn = samples.mean(axis=1) if draws is None else (samples * draws).sum(axis=1) / len(runs)
    without = None if runs[0].without is None else np.mean([run.without for run in runs], axis=0)
    variance = 0.0 if draws is None else float(values.var(ddof=1)) / len(runs)
    return Statistic(float(values.mean()), drawn, without, variance)


def smallest_detectable(statistic: Statistic, confidence: float) -> float:
    """Return the difference that this test set had an 80 % chance to find significant.

    (z of the confidence + z of the power) standard errors; an endpoint whose interval holds 0 says
    nothing about differences smaller than this.
    """
    reach = norm.isf((1 - confidence) / 2) + norm.isf(1 - POWER)
    return float(reach * statistic.standard_error())


def cohens_h(before: float, after: float) -> float:
    """Return the effect size of a change between two shares: 0.2 is small, 0.5 medium, 0.8 large.

    Source: Cohen 1988; differences near 0 and 1 weigh more than in the middle.
    """
    return float(2 * (np.arcsin(np.sqrt(after)) - np.arcsin(np.sqrt(before))))


def holm(p_values: list[float]) -> list[float]:
    """Adjust p-values for several tests (Holm 1979): monotone, never below the raw value."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted.tolist()
