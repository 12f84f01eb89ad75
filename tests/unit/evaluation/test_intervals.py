"""Intervals, p-values, seeds, effect sizes and Holm's correction by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.evaluation import intervals
from longtail_icd.evaluation.intervals import JACKKNIFE, PERCENTILE, Statistic

SAMPLES = np.linspace(0.0, 1.0, 101)


def test_percentile_interval_by_hand():
    found = intervals.interval(Statistic(0.6, SAMPLES), 0.9)
    assert (found.low, found.high) == pytest.approx((0.05, 0.95))
    assert found.method == PERCENTILE
    assert (found.naive_low, found.naive_high) == (found.low, found.high)


def test_jackknife_interval_by_hand():
    """Four patients, two of whom move the value by 0.1: variance 3/4 of 0.02, the squares."""
    statistic = Statistic(0.5, SAMPLES, np.array([0.5, 0.5, 0.6, 0.4]))
    assert statistic.standard_error() == pytest.approx(np.sqrt(3 / 4 * 0.02))
    found = intervals.interval(statistic, 0.95)
    assert found.high - 0.5 == pytest.approx(1.959964 * np.sqrt(0.015))
    assert 0.5 - found.low == pytest.approx(found.high - 0.5)
    assert found.method == JACKKNIFE
    assert (found.naive_low, found.naive_high) == (pytest.approx(0.025), pytest.approx(0.975))


def test_p_values():
    assert intervals.p_value(Statistic(0.0, np.zeros(50))) == 1.0
    assert intervals.p_value(Statistic(0.2, np.full(99, 0.2))) == pytest.approx(2 / 100)
    spread = np.array([0.1, -0.1, 0.0, 0.0])
    normal = Statistic(1.959964 * np.sqrt(0.015), SAMPLES, spread)
    assert intervals.p_value(normal) == pytest.approx(0.05, abs=1e-6)
    assert intervals.p_value(Statistic(0.0, SAMPLES, np.zeros(4))) == 1.0


def test_equal_runs_have_no_difference():
    one = Statistic(0.4, SAMPLES, SAMPLES)
    difference = one.minus(one)
    found = intervals.interval(difference, 0.95)
    assert (difference.value, found.low, found.high, found.naive_low) == (0, 0, 0, 0)
    assert intervals.p_value(difference) == 1.0


def test_seeds_taken_as_they_are_or_drawn():
    runs = [
        Statistic(value, np.full(3, value), np.array([value, value + 0.1])) for value in (0.2, 0.4)
    ]
    mean = intervals.mean_over_seeds(runs, None)
    assert mean.value == pytest.approx(0.3)
    assert mean.samples == pytest.approx(np.full(3, 0.3))
    assert mean.without == pytest.approx(np.array([0.3, 0.4]))
    assert mean.seed_variance == 0.0
    draws = np.array([[2, 0], [1, 1], [0, 2]])
    drawn = intervals.mean_over_seeds(runs, draws)
    assert drawn.samples == pytest.approx([0.2, 0.3, 0.4])
    assert drawn.seed_variance == pytest.approx(0.02 / 2)
    assert drawn.standard_error() > mean.standard_error()


def test_the_smallest_difference_that_a_test_set_could_have_shown():
    """(1.96 + 0.84) standard errors."""
    samples = np.array([-1.0, 1.0])  # standard deviation: the root of 2
    found = intervals.smallest_detectable(Statistic(0.0, samples), 0.95)
    assert found == pytest.approx((1.959964 + 0.841621) * np.sqrt(2), rel=1e-5)


def test_effect_size_by_hand():
    assert intervals.cohens_h(0.0, 1.0) == pytest.approx(np.pi)
    assert intervals.cohens_h(0.5, 0.5) == 0.0
    assert intervals.cohens_h(0.25, 0.5) == pytest.approx(np.pi / 2 - np.pi / 3)


def test_holm_by_hand():
    assert intervals.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_laws_of_holm(p_values):
    """Never below the raw value, never above Bonferroni's, and in the same order."""
    adjusted = intervals.holm(p_values)
    for raw, value in zip(p_values, adjusted, strict=True):
        assert raw <= value <= min(1.0, len(p_values) * raw) + 1e-12
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
