"""One-sided p-values of shared notes: against scipy's, by hand, and on chance alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.plan.significance import more_than_by_chance
from scipy.stats import fisher_exact, hypergeom


def p_of(both, a, b, notes) -> np.ndarray:
    counts = np.broadcast_arrays(*(np.atleast_1d(np.asarray(n, float)) for n in (both, a, b)))
    return more_than_by_chance(*(np.array(count) for count in counts), notes)


def test_by_hand():
    """Of 4 notes 2 have a, 2 have b: both in both is 1 of 6 ways, at least one 5 of 6."""
    assert p_of([2, 1], 2, 2, 4) == pytest.approx([1 / 6, 5 / 6])


@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 12), st.integers(0, 40))
def test_is_fishers_exact_test(both, only_a, only_b, neither):
    table = [[both, only_a], [only_b, neither]]
    expected = fisher_exact(table, alternative="greater").pvalue
    ours = p_of(both, both + only_a, both + only_b, both + only_a + only_b + neither)
    assert ours == pytest.approx([expected], rel=1e-8)


@pytest.mark.parametrize("notes", [1, 2, 30, 400, 47_723])
def test_agrees_with_scipy_whatever_the_counts(notes):
    """The whole support: rare and frequent codes, above and below the mean."""
    generator = np.random.default_rng(1)
    for _ in range(20):
        a, b = generator.integers(1, notes + 1, 2)
        least, most = max(1, a + b - notes), min(a, b)
        both = np.unique(generator.integers(least, most + 1, 20))
        expected = hypergeom.sf(both - 1, notes, a, b)
        shown = expected > 1e-280
        assert p_of(both, a, b, notes)[shown] == pytest.approx(expected[shown], rel=1e-8)


def test_extreme_pairs_are_0_not_an_error():
    with np.errstate(all="raise", under="ignore"):
        assert p_of(10_000, 10_000, 10_000, 47_723) == [0.0]


def test_chance_alone_is_called_significant_no_more_often_than_it_says():
    generator = np.random.default_rng(1)
    notes, a, b = 5_000, 300, 200
    p = p_of(np.maximum(generator.hypergeometric(a, notes - a, b, 20_000), 1), a, b, notes)
    for level in (0.05, 0.01):
        assert (p <= level).mean() <= level * 1.1
