"""The tables of one run: aligned by id, with intervals, groups and single codes."""

from dataclasses import replace

import numpy as np
import pytest
from evaluation_stage import (
    BOOTSTRAP,
    CODES,
    RUN,
    chapters_table,
    labels_table,
    make_gold,
    make_scores,
    notes_table,
    tiers_table,
)
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.common.tiers import TIERS
from longtail_icd.evaluation.evaluate import evaluate
from longtail_icd.evaluation.gold import gold_standard
from longtail_icd.evaluation.groups import code_groups
from longtail_icd.evaluation.intervals import JACKKNIFE, PERCENTILE
from longtail_icd.evaluation.score import (
    breakdown_table,
    codes_table,
    metrics_table,
    threshold_alternatives,
)
from longtail_icd.evaluation.scores import Scores
from longtail_icd.report.glossary import METRICS, OUTSIDE, metric_entry
from polars.testing import assert_frame_equal

SCORES = make_scores()
GOLD = make_gold(SCORES)


def evaluated(scores=SCORES, gold=GOLD):
    outside = int(gold.outside.sum())
    return evaluate(scores.logits, gold.labels, 0.3, [1, 2], gold.tier, TIERS, outside)


def test_every_f1_and_ranking_of_every_tier_has_an_interval_around_its_value():
    table = metrics_table(evaluated(), GOLD, BOOTSTRAP, RUN)
    assert table.columns == list(TABLES["evaluation/metrics"].columns)
    assert set(table["tier"]) == {"all", *TIERS}
    wanted = r"f1|precision_at|recall_at|^map$"
    for row in table.filter(table["metric"].str.contains(wanted)).iter_rows(named=True):
        macro = row["metric"].startswith("macro")
        assert row["ci_method"] == (JACKKNIFE if macro else PERCENTILE)
        assert 0 <= row["ci_low"] <= row["value"] <= row["ci_high"] <= 1, row
        assert (row["ci_naive_low"] is not None) == macro
    assert table.filter(metric="auc_macro")["ci_low"].null_count() == 6


def test_labels_outside_the_label_space_lower_recall_and_are_counted():
    gold = make_gold(SCORES, outside=3)
    assert gold.outside.tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    table = metrics_table(evaluated(gold=gold), gold, BOOTSTRAP, RUN)
    assert table.filter(metric=OUTSIDE)["value"].item() == 3
    recall = table.filter(tier="all", metric="micro_recall").row(0, named=True)
    hits = int((SCORES.logits >= 0.3)[gold.labels.toarray()].sum())
    assert recall["value"] == pytest.approx(hits / (gold.labels.nnz + 3))
    assert recall["ci_low"] <= recall["value"] <= recall["ci_high"]


def test_a_tier_without_gold_labels_has_no_intervals():
    labels = labels_table().filter(labels_table()["code"] != "003.0")
    gold = gold_standard(labels, notes_table(), tiers_table(), SCORES)
    table = metrics_table(evaluated(gold=gold), gold, BOOTSTRAP, RUN).filter(tier="zero_shot")
    assert set(table["support"]) == {0}
    assert table["ci_low"].null_count() == len(table)
    assert table.filter(metric="map")["value"].item() is None


def test_nothing_depends_on_the_order_of_rows_or_codes_of_the_tables():
    shuffled = gold_standard(
        labels_table().reverse(), notes_table().reverse(), tiers_table().reverse(), SCORES
    )
    table = metrics_table(evaluated(gold=shuffled), shuffled, BOOTSTRAP, RUN)
    assert_frame_equal(table, metrics_table(evaluated(), GOLD, BOOTSTRAP, RUN))


def test_another_order_of_codes_is_another_label_list_but_the_same_test_set():
    backwards = Scores(SCORES.logits[:, ::-1], SCORES.note_ids, CODES[::-1])
    gold = make_gold(backwards)
    assert gold.label_list != GOLD.label_list
    assert gold.test_set == GOLD.test_set
    assert (gold.labels.toarray()[:, ::-1] == GOLD.labels.toarray()).all()
    assert make_gold(SCORES, outside=2).test_set != GOLD.test_set


def test_a_tier_of_all_codes_is_not_charged_with_labels_outside_the_label_space():
    """Its interval is around its value: such labels are misses of all codes together only."""
    gold = replace(make_gold(SCORES, outside=8), tier=np.zeros(6, dtype=int))
    table = metrics_table(evaluated(gold=gold), gold, BOOTSTRAP, RUN)
    value, low, high = (
        dict(table.filter(metric="micro_recall").select("tier", column).rows())
        for column in ("value", "ci_low", "ci_high")
    )
    for tier in ("all", "head"):
        assert low[tier] <= value[tier] <= high[tier]
    assert high["all"] < high["head"]


def test_every_metric_of_the_tables_is_in_the_glossary():
    table = metrics_table(evaluated(), GOLD, BOOTSTRAP, RUN)
    for metric in set(table["metric"]) - {OUTSIDE}:
        assert metric_entry(metric)[1], metric
    assert set(METRICS) <= set(table["metric"])


def test_groups_of_codes_by_hand():
    groups = code_groups(CODES[::-1], tiers_table(), chapters_table())
    assert groups["bin"].to_list() == ["11-50", "0", "1-10", "1-10", "101-500", "> 500"]
    assert groups["kind"].to_list() == ["procedure", *["diagnosis"] * 5]
    chapters = ["icd9cm 35-39", None, *["icd9cm 001-139"] * 4]
    assert groups["chapter"].to_list() == chapters


def test_the_breakdown_has_every_group_and_the_tiers_at_every_other_threshold():
    evaluation = evaluated()
    groups = code_groups(CODES, tiers_table(), chapters_table())
    alternatives = {"per_code": np.linspace(-1, 1, 6), "oracle": evaluation.pooled.best_cut()[0]}
    table = breakdown_table(evaluation, GOLD, SCORES.logits, groups, alternatives, RUN)
    assert table.columns == list(TABLES["evaluation/breakdown"].columns)
    kinds = table.filter(family="kind", metric="micro_f1").select("group", "codes").rows()
    assert sorted(kinds) == [("diagnosis", 5), ("procedure", 1)]
    assert set(table.filter(family="chapter")["group"]) == {"icd9cm 001-139", "icd9cm 35-39"}
    assert "ap_macro" in set(table.filter(family="bin", group="0")["metric"])
    tiers = table.filter(family="tier", metric="micro_f1")
    assert set(tiers["threshold_kind"]) == {"per_code", "oracle"}
    best = tiers.filter(group="all", threshold_kind="oracle")["value"].item()
    usual = metrics_table(evaluation, GOLD, BOOTSTRAP, RUN)
    assert best >= usual.filter(tier="all", metric="micro_f1")["value"].item()


def test_the_oracle_is_there_only_when_it_is_asked_for():
    thresholds = empty_table("evaluation/thresholds").clear(6).with_columns(code=np.array(CODES))
    for oracle in (False, True):
        found = threshold_alternatives(thresholds, CODES, evaluated(), oracle)
        assert ("oracle" in found) == oracle


def test_every_code_with_its_own_metrics_and_reliability():
    evaluation = evaluated()
    table = codes_table(evaluation, CODES, tiers_table())
    assert table.columns == list(TABLES["evaluation/codes"].columns)
    assert table["code"].to_list() == CODES
    gold, probabilities = GOLD.labels.toarray(), 1 / (1 + np.exp(-SCORES.logits))
    assert table["support"].to_list() == gold.sum(axis=0).tolist()
    assert table["predicted"].to_list() == (SCORES.logits >= 0.3).sum(axis=0).tolist()
    assert table["expected"].to_numpy() == pytest.approx(probabilities.sum(axis=0), rel=1e-5)
    absent = gold.sum(axis=0) == 0
    assert table["auc"].is_null().to_numpy().tolist() == absent.tolist()
