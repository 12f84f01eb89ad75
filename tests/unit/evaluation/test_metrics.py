"""Every metric against values computed by hand or by scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.evaluation import bootstrap, metrics
from longtail_icd.training.selection import (
    best_micro_f1,
    choose_threshold,
    mean_average_precision,
)
from sklearn.metrics import f1_score, label_ranking_average_precision_score, roc_auc_score

GOLD = np.array([[1, 0, 0], [1, 1, 0]], dtype=bool)
PREDICTED = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)


def test_decision_metrics_by_hand():
    values = metrics.decision_metrics(metrics.counts_per_code(GOLD, PREDICTED))
    assert values["micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert values["macro_f1_all_codes"] == pytest.approx(1 / 3)
    assert values["macro_f1_test_codes"] == pytest.approx(1 / 2)
    assert values["macro_f1_harmonic"] == pytest.approx(1 / 3)
    outside = metrics.decision_metrics(metrics.counts_per_code(GOLD, PREDICTED), outside=2)
    assert outside["micro_f1"] == pytest.approx(4 / 8)


def test_ranking_metrics_by_hand():
    scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.9, 0.5]])
    values = metrics.ranking_metrics(scores, GOLD, [1])
    assert values["precision_at_1"] == 1.0
    assert values["recall_at_1"] == pytest.approx((1 + 0.5) / 2)
    assert values["r_precision"] == pytest.approx((1 + 0.5) / 2)
    assert values["map"] == pytest.approx((1 + (1 + 2 / 3) / 2) / 2)
    assert values["auc_macro"] == 1.0


def test_agreement_with_scikit_learn():
    generator = np.random.default_rng(5)
    gold = generator.random((40, 7)) < 0.3
    scores = generator.random((40, 7)).round(2)
    predicted = scores > 0.6
    values = metrics.decision_metrics(metrics.counts_per_code(gold, predicted))
    assert values["micro_f1"] == pytest.approx(f1_score(gold, predicted, average="micro"))
    assert values["macro_f1_all_codes"] == pytest.approx(f1_score(gold, predicted, average="macro"))
    ranking = metrics.ranking_metrics(scores, gold, [5])
    assert ranking["auc_macro"] == pytest.approx(roc_auc_score(gold, scores, average="macro"))
    assert ranking["auc_micro"] == pytest.approx(roc_auc_score(gold, scores, average="micro"))
    rows, untied = gold.any(axis=1), generator.permutation(280).reshape(40, 7)
    assert mean_average_precision(untied, gold) == pytest.approx(
        label_ranking_average_precision_score(gold[rows], untied[rows])
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=1, max_size=30))
def test_the_tuned_threshold_is_the_best_there_is(pairs):
    scores = np.array([[score for score, _ in pairs]], dtype=np.float32)
    gold = np.array([[truth for _, truth in pairs]])
    if not gold.any():
        with pytest.raises(ValueError, match="no gold label"):
            best_micro_f1(scores, gold)
        return
    cut, value = best_micro_f1(scores, gold)
    tried = [f1_score(gold[0], scores[0] >= t, zero_division=0.0) for t in np.unique(scores)]
    assert value == pytest.approx(max(tried))
    assert f1_score(gold[0], scores[0] >= cut) == pytest.approx(value)


def test_bootstrap_pools_a_patients_notes_and_is_zero_for_equal_runs():
    patient = np.array([0, 0])
    counts = bootstrap.counts_per_patient(GOLD, PREDICTED, patient, np.ones(3, dtype=bool))
    assert counts.tolist() == [[2, 1, 1]]
    weights = bootstrap.patient_weights(1, 50, seed=0)
    samples = bootstrap.pooled_f1_samples(counts, weights)
    assert bootstrap.percentile_interval(samples - samples, 0.95) == (0.0, 0.0)


def test_holm_by_hand():
    assert bootstrap.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_the_threshold_is_the_best_on_dev_or_a_probability_of_one_half():
    scores, gold = np.array([[2.0, 0.0, -1.0, -3.0]]), np.array([[1, 0, 1, 0]])
    # At -1: two hits of three predictions, 4/5; at 0: one hit of two predictions, 2/4.
    assert choose_threshold("micro_f1", scores, gold) == (-2.0, pytest.approx(0.8))
    assert choose_threshold("half", scores, gold) == (0.0, pytest.approx(0.5))
