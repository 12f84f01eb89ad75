"""Thresholds by tier and by code, shrunk towards the larger group's."""

import numpy as np
import pytest
from evaluation_stage import CODES, TIERS, tiers_table
from longtail_icd.evaluation.thresholds import shrunk_cut, tune_thresholds
from longtail_icd.training.selection import best_micro_f1


def test_a_cut_is_shrunk_by_its_number_of_labels():
    """The best cut is 1.5, midway between 2 and 1, on two labels."""
    scores = np.array([[3.0], [2.0], [1.0]], dtype=np.float32)
    gold = np.array([[True], [True], [False]])
    codes = np.array([0])
    assert shrunk_cut(scores, gold, codes, -1.0, 2.0) == pytest.approx((2 * 1.5 - 2 * 1.0) / 4)
    assert shrunk_cut(scores, gold, codes, -1.0, 1e-9) == pytest.approx(1.5)
    assert shrunk_cut(scores, gold, codes, -1.0, 1e9) == pytest.approx(-1.0)
    assert shrunk_cut(scores, np.zeros_like(gold), codes, -1.0, 2.0) == -1.0


def test_codes_without_dev_labels_take_their_tiers_cut_and_empty_tiers_the_global_one():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(30, 6)).astype(np.float32)
    gold = generator.random((30, 6)) < 0.4
    gold[:, [3, 4]] = False  # one of two few_shot codes, and the only zero_shot code
    table = tune_thresholds(scores, gold, CODES, tiers_table(), 0.25, 5.0)
    per_tier, per_code = (dict(zip(CODES, table[kind], strict=True)) for kind in table.columns[1:])
    assert per_code["003.0"] == per_tier["003.0"] == 0.25
    assert per_code["002.1"] == per_tier["002.1"] == per_tier["002.0"]
    few = [TIERS.index("few_shot"), TIERS.index("few_shot") + 1]
    labels, best = gold[:, few].sum(), best_micro_f1(scores[:, few], gold[:, few])[0]
    assert per_tier["002.0"] == pytest.approx((labels * best + 5 * 0.25) / (labels + 5))
