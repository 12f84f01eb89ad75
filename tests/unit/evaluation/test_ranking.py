"""Rankings: by hand, with ties, in blocks, and against scikit-learn and torchmetrics."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from longtail_icd.evaluation import metrics, ranking
from longtail_icd.evaluation.evaluate import evaluate
from longtail_icd.training.selection import best_micro_f1, mean_average_precision
from scipy.sparse import csr_array
from sklearn.metrics import (
    average_precision_score,
    label_ranking_average_precision_score,
    roc_auc_score,
)
from torchmetrics.functional.classification import (
    multilabel_auroc,
    multilabel_average_precision,
    multilabel_ranking_average_precision,
)
from torchmetrics.functional.retrieval import retrieval_precision, retrieval_recall

GOLD = np.array([[1, 0, 0], [1, 1, 0]], dtype=bool)
SCORES = np.array([[0.9, 0.5, 0.1], [0.2, 0.9, 0.5]], dtype=np.float32)


def ranked(scores, gold, cuts=(1, 5)):
    return evaluate(scores, csr_array(gold), 0.0, cuts).values["all"]


def test_ranking_metrics_by_hand():
    values = ranked(SCORES, GOLD)
    assert values["precision_at_1"] == 1.0
    assert values["recall_at_1"] == pytest.approx((1 + 1 / 2) / 2)
    assert values["precision_at_5"] == pytest.approx((1 / 5 + 2 / 5) / 2)  # of three codes
    assert values["recall_at_5"] == 1.0
    assert values["r_precision"] == pytest.approx((1 + 1 / 2) / 2)
    assert values["map"] == pytest.approx((1 + (1 + 2 / 3) / 2) / 2)
    # Only the second code has both classes: its gold note scores above the other.
    assert values["auc_macro"] == 1.0
    # The first code's two notes are both gold; the second's gold note is ranked first.
    assert values["ap_macro"] == 1.0
    # Gold 0.9, 0.2 and 0.9 against 0.5, 0.1 and 0.5: of nine pairs 3 + 1 + 3 are right.
    assert values["auc_micro"] == pytest.approx(7 / 9)


def test_ties_go_by_label_order_in_documents_and_are_shared_in_areas():
    scores, gold = np.zeros((2, 3), dtype=np.float32), np.array([[0, 1, 0], [1, 0, 1]], dtype=bool)
    values = ranked(scores, gold, [1])
    assert values["precision_at_1"] == pytest.approx((0 + 1) / 2)
    assert values["map"] == pytest.approx((1 / 2 + (1 + 2 / 3) / 2) / 2)
    assert values["auc_macro"] == values["auc_micro"] == 0.5
    assert values["ap_macro"] == 0.5  # the share of positives of every code


def test_a_note_without_gold_codes_is_left_out_and_a_code_without_is_undefined():
    gold = np.array([[1, 0, 0], [0, 0, 0]], dtype=bool)
    values = ranked(SCORES, gold)
    assert values["precision_at_1"] == values["map"] == values["auc_macro"] == 1.0
    empty = ranked(SCORES, np.zeros((2, 3), dtype=bool))
    for metric in ("precision_at_1", "map", "auc_macro", "auc_micro", "ap_macro"):
        assert np.isnan(empty[metric])


def test_ranks_within_a_group_are_those_of_its_columns_alone():
    """Tiers are ranked apart: a zero-shot code is held against zero-shot codes."""
    generator = np.random.default_rng(0)
    scores = generator.integers(0, 6, (30, 12)).astype(np.float32)
    gold = generator.random((30, 12)) < 0.3
    group = generator.integers(0, 3, 12)
    found = evaluate(scores, csr_array(gold), 3.0, (2,), group, ("a", "b", "c", "none"))
    assert set(found.values) == {"all", "a", "b", "c"}
    for number, name in enumerate("abc"):
        own = group == number
        alone = evaluate(scores[:, own], csr_array(gold[:, own]), 3.0, (2,)).values["all"]
        del alone["exact_match"]
        assert found.values[name] == pytest.approx(alone, nan_ok=True)


@pytest.mark.parametrize("blocks", [1, 30, 77])
def test_the_size_of_a_block_changes_nothing(blocks, monkeypatch):
    generator = np.random.default_rng(2)
    scores = generator.integers(0, 9, (23, 15)).astype(np.float32)
    gold = csr_array(generator.random((23, 15)) < 0.3)
    whole = ranked(scores, gold)
    monkeypatch.setattr(metrics, "BLOCK", blocks)
    monkeypatch.setattr(ranking, "BLOCK", blocks)
    monkeypatch.setattr(ranking, "POOLED_BLOCK", blocks)
    assert ranked(scores, gold) == pytest.approx(whole)


@pytest.mark.parametrize("seed", range(3))
def test_agreement_with_scikit_learn_and_torchmetrics(seed):
    generator = np.random.default_rng(seed)
    gold = generator.random((60, 9)) < 0.3
    gold[0] = False
    gold[1:3] = [[True], [False]]  # every code has both classes
    coarse = generator.random((60, 9)).round(1).astype(np.float32)  # many ties
    values = ranked(coarse, gold)
    truth, said = torch.tensor(gold).int(), torch.tensor(coarse)
    for average in ("macro", "micro"):
        expected = roc_auc_score(gold, coarse, average=average)
        assert values[f"auc_{average}"] == pytest.approx(expected)
        theirs = multilabel_auroc(said, truth, num_labels=9, average=average, thresholds=None)
        assert values[f"auc_{average}"] == pytest.approx(theirs.item(), abs=1e-6)
    assert values["ap_macro"] == pytest.approx(average_precision_score(gold, coarse))
    theirs = multilabel_average_precision(said, truth, num_labels=9, average="macro")
    assert values["ap_macro"] == pytest.approx(theirs.item(), abs=1e-6)

    untied = (generator.permutation(540).reshape(60, 9) / 540).astype(np.float32)
    values, rows = ranked(untied, gold, [3]), gold.any(axis=1)
    lrap = label_ranking_average_precision_score(gold[rows], untied[rows])
    assert values["map"] == pytest.approx(lrap)
    assert values["map"] == pytest.approx(mean_average_precision(untied, gold))
    said, truth = torch.tensor(untied[rows]), torch.tensor(gold[rows]).int()
    theirs = multilabel_ranking_average_precision(said, truth, num_labels=9)
    assert values["map"] == pytest.approx(theirs.item(), abs=1e-6)
    for metric, function in (("precision", retrieval_precision), ("recall", retrieval_recall)):
        theirs = [function(one, gold, top_k=3) for one, gold in zip(said, truth, strict=True)]
        assert values[f"{metric}_at_3"] == pytest.approx(np.mean(theirs), abs=1e-6)


def test_published_map_and_label_ranking_average_precision_differ_by_ties_alone():
    """GKI-ICD prints the latter as the former: equal scores count against the model there."""
    scores, gold = np.array([[1.0, 1.0, 0.0]], dtype=np.float32), np.array([[True, False, True]])
    assert ranked(scores, gold)["map"] == pytest.approx((1 + 2 / 3) / 2)
    assert label_ranking_average_precision_score(gold, scores) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_published_micro_auc_with_and_without_codes_absent_from_test_differ():
    """Two re-implementations define the second and print the first."""
    scores = np.array([[0.9, 0.3, 0.0], [0.2, 0.4, 0.1]], dtype=np.float32)
    gold = np.array([[1, 0, 0], [1, 1, 0]], dtype=bool)
    present = gold.any(axis=0)
    # 0.9, 0.2 and 0.4 against 0.3, 0.0 and 0.1; then against 0.3 alone.
    assert ranked(scores, gold)["auc_micro"] == pytest.approx(8 / 9)
    assert ranked(scores[:, present], gold[:, present])["auc_micro"] == pytest.approx(2 / 3)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(np.int8, (4, 5), elements=st.integers(0, 3)),
    arrays.arrays(bool, (4, 5)),
)
def test_laws_of_rankings(scores, gold):
    """Ranks are those of a stable sort, and monotone changes of the scores change nothing."""
    scores = scores.astype(np.float32)
    labels, group = csr_array(gold), np.array([0, 1, 0, 1, 1])
    overall, within = ranking.document_ranks(scores, labels, group)
    places = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    assert (overall == places[gold] + 1).all()
    for row, code, rank in zip(*np.nonzero(gold), within, strict=True):
        own = group == group[code]
        assert rank == 1 + (places[row][own] < places[row, code]).sum()
    before, after = ranked(scores, gold), ranked(2 * scores - 9, gold)
    for metric in ("precision_at_1", "r_precision", "map", "auc_macro", "auc_micro", "ap_macro"):
        assert after[metric] == pytest.approx(before[metric], nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.int8, (4, 5), elements=st.integers(0, 6)), arrays.arrays(bool, (4, 5)))
def test_the_oracle_is_as_good_as_the_exact_search(scores, gold):
    """Tuned on what it is scored on, it is the upper bound of every global threshold."""
    scores = scores.astype(np.float32)
    pooled = ranking.pooled_ranks(scores, csr_array(gold), np.zeros(5, dtype=int))
    if not gold.any():
        with pytest.raises(ValueError, match="no gold label"):
            pooled.best_cut()
        return
    cut, value = pooled.best_cut()
    assert value == pytest.approx(best_micro_f1(scores, gold)[1])
    predicted = scores >= cut
    hits = (predicted & gold).sum()
    assert value == pytest.approx(2 * hits / (predicted.sum() + gold.sum()))
