"""Probabilities mean what they say: as many of the decisions at 0.3 are right as should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.training.calibration import (
    LEAST_SLOPE,
    Calibration,
    Rescaling,
    fit_calibration,
    rescale_unseen,
)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def test_the_curve_that_made_the_labels_is_found():
    draw = np.random.default_rng(0)
    logits = draw.normal(-3, 2, (400, 500)).astype(np.float32)
    gold = draw.random(logits.shape) < sigmoid(0.5 * logits - 1)
    found = fit_calibration(logits, gold)
    assert (found.slope, found.intercept) == pytest.approx((0.5, -1), abs=0.05)
    stated = found.probabilities(logits)
    for low, high in ((0.02, 0.1), (0.1, 0.3), (0.3, 0.7)):
        between = (stated > low) & (stated < high)
        assert gold[between].mean() == pytest.approx(stated[between].mean(), abs=0.02)


def test_logits_that_are_all_alike_give_the_smoothed_share():
    """Two of eight are right: 2 targets of 3/4 and 6 of 1/8 are 2.25 of 8."""
    gold = np.array([[1, 0, 0, 0], [0, 1, 0, 0]])
    found = fit_calibration(np.full((2, 4), -2.0, dtype=np.float32), gold)
    assert found.probabilities(np.array([-2.0])) == pytest.approx([2.25 / 8], abs=1e-4)


def test_a_perfect_fit_stays_finite_and_short_of_certain():
    logits = np.array([[-5.0, 5.0], [5.0, -5.0]], dtype=np.float32)
    found = fit_calibration(logits, logits > 0)
    assert np.allclose(found.probabilities(logits), np.where(logits > 0, 3 / 4, 1 / 4), atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 20))
def test_the_order_of_logits_is_never_turned_round(seed, spread):
    """Not even where the better scores are the wrong ones."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(0, spread, (6, 7)).astype(np.float32)
    gold = draw.random((6, 7)) < sigmoid(-logits)
    gold[0, 0] = True
    found = fit_calibration(logits, gold)
    assert found.slope >= LEAST_SLOPE
    assert np.isfinite(found.probabilities(logits)).all()
    assert (np.diff(found.probabilities(np.sort(logits.ravel()))) >= 0).all()


UNSEEN = np.arange(500) >= 300


def drawn_labels(seed=0, notes=400):
    """Logits and labels whose chance is sigmoid(logit - 1), of seen and unseen codes alike."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(-3, 2, (notes, 500))
    return logits, draw.random(logits.shape) < sigmoid(logits - 1)


def test_unseen_codes_get_the_logits_that_seen_ones_have_at_the_same_chance():
    """Halved and 2 lower, they are doubled and raised by 4."""
    logits, gold = drawn_labels()
    told = np.where(UNSEEN, logits / 2 - 2, logits).astype(np.float32)
    found = rescale_unseen(told, gold, UNSEEN)
    assert (found.factor, found.offset) == pytest.approx((2, 4), abs=0.2)
    assert np.allclose(found(told[:, UNSEEN]), logits[:, UNSEEN], atol=0.5)


def test_codes_that_are_on_the_same_scale_stay_where_they_are():
    logits, gold = drawn_labels()
    found = rescale_unseen(logits.astype(np.float32), gold, UNSEEN)
    assert (found.factor, found.offset) == pytest.approx((1, 0), abs=0.15)


@pytest.mark.parametrize("silent", [UNSEEN, ~UNSEEN])
def test_without_dev_labels_of_a_group_nothing_is_rescaled(silent):
    logits, gold = drawn_labels(notes=20)
    gold[:, silent] = False
    assert rescale_unseen(logits, gold, UNSEEN) == Rescaling()


def test_a_model_that_turns_seen_codes_round_gives_no_scale():
    logits, gold = drawn_labels(notes=20)
    assert rescale_unseen(np.where(UNSEEN, logits, -logits), gold, UNSEEN) == Rescaling()


def test_without_a_fit_a_probability_is_the_sigmoid():
    assert Calibration().probabilities(np.array([0.0, 2.0])) == pytest.approx([0.5, sigmoid(2.0)])
