"""Calibration by hand and against torchmetrics."""

import numpy as np
import pytest
import torch
from longtail_icd.evaluation import metrics
from longtail_icd.evaluation.calibration import (
    calibration_error,
    calibration_error_per_code,
    reliability,
)
from scipy.sparse import csr_array
from scipy.special import logit
from torchmetrics.functional.classification import binary_calibration_error

PROBABILITIES = np.array([[0.1, 0.9], [0.3, 0.7]])
GOLD = csr_array(np.array([[0, 1], [1, 1]], dtype=bool))


def test_calibration_error_by_hand():
    """In two bins: 0.1 and 0.3 with one label of two, 0.9 and 0.7 with two of two."""
    bins = reliability(logit(PROBABILITIES).astype(np.float32), GOLD, bins=2)
    assert bins.decisions.tolist() == [[2, 0], [0, 2]]
    assert bins.expected == pytest.approx(np.array([[0.4, 0], [0, 1.6]]))
    assert bins.observed.tolist() == [[1, 0], [0, 2]]
    assert calibration_error(bins) == pytest.approx((0.6 + 0.4) / 4)
    assert calibration_error_per_code(bins) == pytest.approx([0.3, 0.2])
    assert calibration_error(bins, np.array([False, True])) == pytest.approx(0.2)


def test_agreement_with_torchmetrics_in_blocks(monkeypatch):
    generator = np.random.default_rng(1)
    logits = generator.normal(-2, 3, (50, 8)).astype(np.float32)
    gold = generator.random((50, 8)) < 1 / (1 + np.exp(-0.5 * logits))
    monkeypatch.setattr(metrics, "BLOCK", 20)
    bins = reliability(logits, csr_array(gold))
    said, truth = torch.tensor(logits).sigmoid().ravel(), torch.tensor(gold).int().ravel()
    theirs = binary_calibration_error(said, truth, n_bins=15, norm="l1")
    assert calibration_error(bins) == pytest.approx(theirs.item(), abs=1e-5)
    assert bins.decisions.sum() == 400
    assert bins.observed.sum(axis=1).tolist() == gold.sum(axis=0).tolist()
    assert bins.expected.sum() == pytest.approx(said.sum().item(), rel=1e-5)


def test_sure_and_right_is_perfect_and_sure_and_wrong_the_worst():
    logits = np.array([[40.0, -40.0]], dtype=np.float32)
    for gold, error in (([[True, False]], 0.0), ([[False, True]], 1.0)):
        found = calibration_error(reliability(logits, csr_array(np.array(gold))))
        assert found == pytest.approx(error)
