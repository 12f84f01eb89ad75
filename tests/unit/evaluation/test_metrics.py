"""Metrics of decisions: by hand, against scikit-learn and torchmetrics, and as published."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.evaluation import metrics
from longtail_icd.training.selection import best_micro_f1, choose_threshold
from scipy.sparse import csr_array
from sklearn.metrics import f1_score, precision_score, recall_score
from torchmetrics.functional.classification import multilabel_exact_match, multilabel_f1_score

SCRIPTS = Path(metrics.__file__).parents[2]
GOLD = csr_array(np.array([[1, 0, 0], [1, 1, 0]], dtype=bool))
PREDICTED = csr_array(np.array([[1, 1, 0], [1, 0, 0]], dtype=bool))


def values_of(gold, predicted, outside=0):
    counts = metrics.counts_per_code(csr_array(gold), csr_array(predicted))
    return metrics.decision_metrics(counts, outside)


def test_decision_metrics_by_hand():
    """Code 1: two hits. Code 2: one false, one missed. Code 3: nothing, and no gold label."""
    assert metrics.counts_per_code(GOLD, PREDICTED).tolist() == [[2, 0, 0], [0, 1, 1], [0, 0, 0]]
    values = values_of(GOLD, PREDICTED)
    assert values["micro_f1"] == pytest.approx(4 / 6)
    assert values["macro_f1_all_codes"] == pytest.approx(1 / 3)
    assert values["macro_f1_test_codes"] == pytest.approx(1 / 2)
    assert values["macro_f1_harmonic"] == pytest.approx(1 / 3)
    assert values["macro_precision"] == values["macro_recall"] == pytest.approx(1 / 3)
    assert values["macro_precision_test_codes"] == pytest.approx(1 / 2)
    assert values["macro_recall_test_codes"] == pytest.approx(1 / 2)


def test_labels_outside_the_label_space_are_misses():
    values = values_of(GOLD, PREDICTED, outside=2)
    assert values["micro_f1"] == pytest.approx(4 / 8)
    assert values["micro_recall"] == pytest.approx(2 / 5)
    assert values["micro_precision"] == pytest.approx(2 / 3)


def test_without_predictions_or_gold_labels_everything_is_0():
    """0/0 counts as 0 and never as a number that is none."""
    empty = np.zeros((2, 3), dtype=bool)
    for gold, predicted in ((GOLD, empty), (empty, PREDICTED), (empty, empty)):
        assert set(values_of(gold, predicted).values()) == {0.0}


def test_precision_and_recall_on_different_codes_are_a_gain_for_the_harmonic_mean_alone():
    """Precision 1 and recall 1/2 on one code, the reverse on the other."""
    gold = np.array([[1, 1], [1, 0], [0, 0]], dtype=bool)
    predicted = np.array([[1, 1], [0, 1], [0, 0]], dtype=bool)
    values = values_of(gold, predicted)
    assert values["macro_f1_harmonic"] == pytest.approx(3 / 4)
    assert values["macro_f1_all_codes"] == pytest.approx(2 / 3)


def test_three_published_macro_f1_of_one_score_matrix_differ():
    """All codes and test codes differ by the share of codes in test; the harmonic by neither."""
    generator = np.random.default_rng(3)
    gold = generator.random((300, 500)) < 1.5 / np.arange(1, 501)
    scores = generator.standard_normal(gold.shape) + 2 * gold
    values = values_of(gold, scores > 1.5)
    present = gold.any(axis=0).mean()
    every, test = values["macro_f1_all_codes"], values["macro_f1_test_codes"]
    assert 0.3 < present < 0.9
    assert every == pytest.approx(test * present)
    assert every < values["macro_f1_harmonic"] < test
    # So GKI-ICD's 12.3 over 8,929 codes is 26.9 over the 4,085 in test, to be held against 24.7.
    assert round(12.3 * 8929 / 4085, 1) == 26.9


@pytest.mark.parametrize("seed", range(3))
def test_agreement_with_scikit_learn_and_torchmetrics(seed):
    generator = np.random.default_rng(seed)
    gold = generator.random((40, 7)) < 0.2
    gold[:, 3] = False
    predicted = generator.random((40, 7)) < 0.2
    values = values_of(gold, predicted)
    for average, suffix in (("micro", ""), ("macro", "_all_codes")):
        options = {"average": average, "zero_division": 0.0}
        assert values[f"{average}_f1{suffix}"] == pytest.approx(
            f1_score(gold, predicted, **options)
        )
        said, truth = torch.tensor(predicted).int(), torch.tensor(gold).int()
        theirs = multilabel_f1_score(said, truth, num_labels=7, average=average)
        assert values[f"{average}_f1{suffix}"] == pytest.approx(theirs.item())
    assert values["macro_precision"] == pytest.approx(precision_score(gold, predicted, **options))
    assert values["macro_recall"] == pytest.approx(recall_score(gold, predicted, **options))
    present = np.flatnonzero(gold.any(axis=0))
    assert values["macro_f1_test_codes"] == pytest.approx(
        f1_score(gold, predicted, labels=present, **options)
    )
    exact = multilabel_exact_match(said, truth, num_labels=7)
    ours = metrics.exact_match(csr_array(gold), csr_array(predicted))
    assert ours == pytest.approx(exact.item())


def test_the_metrics_and_intervals_need_numpy_and_scipy_alone():
    """They can be taken from a checkout for other projects' scores; no table library, no torch."""
    script = (
        "import sys; from longtail_icd.evaluation import evaluate, intervals, run_statistics;"
        "assert not {'polars', 'torch', 'sklearn', 'safetensors'} & sys.modules.keys()"
    )
    path = {"PYTHONPATH": str(SCRIPTS)}
    subprocess.run([sys.executable, "-c", script], check=True, env=path)


def test_exact_match_counts_an_empty_note_without_prediction():
    gold = csr_array(np.array([[1, 0], [0, 0], [0, 0], [1, 1]], dtype=bool))
    predicted = csr_array(np.array([[1, 0], [0, 0], [0, 1], [1, 0]], dtype=bool))
    assert metrics.exact_match(gold, predicted) == 0.5


@pytest.mark.parametrize("threshold", [0.5, np.array([0.2, 0.5, 0.9]), 2.0, -1.0])
def test_a_code_is_predicted_when_its_score_reaches_the_threshold(threshold, monkeypatch):
    """Also when the scores are read in several blocks, with one threshold and with one per code."""
    scores = np.array([[0.5, 0.4, 0.9], [0.1, 0.5, 0.8], [0.2, 0.6, 1.0]], dtype=np.float32)
    whole = metrics.decide(scores, threshold)
    assert (whole.toarray() == (scores >= threshold)).all()
    monkeypatch.setattr(metrics, "BLOCK", 3)
    assert (metrics.decide(scores, threshold) != whole).nnz == 0


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


def test_the_threshold_is_the_best_on_dev_or_a_probability_of_one_half():
    scores, gold = np.array([[2.0, 0.0, -1.0, -3.0]]), np.array([[1, 0, 1, 0]])
    # At -1: two hits of three predictions, 4/5; at 0: one hit of two predictions, 2/4.
    assert choose_threshold("micro_f1", scores, gold) == (-2.0, pytest.approx(0.8))
    assert choose_threshold("half", scores, gold) == (0.0, pytest.approx(0.5))
