"""Comparisons: paired, over seeds, adjusted over tiers, with what the test set could have shown."""

import numpy as np
import pytest
from evaluation_stage import BOOTSTRAP, make_gold, make_scores
from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation.compare import SEEDS_DRAWN_FROM, compare, read_run
from longtail_icd.evaluation.intervals import JACKKNIFE, PERCENTILE, holm
from longtail_icd.evaluation.resampling import patient_weights
from longtail_icd.evaluation.scores import Scores

NAMES = {"baseline": "original", "against": "extended", "model": "plm_icd"}
WEIGHTS = patient_weights(4, BOOTSTRAP["samples"], BOOTSTRAP["seed"])


def run_of(seed, lift=0.0):
    """A run whose gold labels score ``lift`` higher than chance."""
    scores = make_scores(seed)
    gold = make_gold(scores)
    scores = Scores(scores.logits + lift * gold.labels.toarray(), scores.note_ids, scores.codes)
    return read_run(f"plm_icd/original/seed{seed}", scores, 0.3, gold, WEIGHTS, [2])


def test_equal_runs_have_no_difference_at_all():
    table = compare([run_of(1)], [run_of(1)], BOOTSTRAP, NAMES)
    assert table.columns == list(TABLES["evaluation/comparisons"].columns)
    for column in ("delta", "ci_low", "ci_high", "effect_size", "smallest_detectable"):
        assert set(table[column]) == {0.0}
    assert set(table["p_adjusted"]) == {1.0}


def test_a_run_that_ranks_every_label_first_wins_everywhere():
    table = compare([run_of(1)], [run_of(1, lift=9.0)], BOOTSTRAP, NAMES)
    primary = table.filter(primary=True).row(0, named=True)
    assert (primary["tier"], primary["metric"]) == ("few_shot", "micro_f1")
    assert primary["delta"] == pytest.approx(primary["against_value"] - primary["baseline_value"])
    assert primary["effect_size"] > 0
    assert (table["delta"] >= 0).all()
    metrics = {"micro_f1", "map", "precision_at_2", "recall_at_2"}
    metrics |= {f"macro_f1_{kind}" for kind in ("all_codes", "harmonic", "test_codes")}
    assert set(table["metric"]) == metrics
    assert table.group_by("metric").len()["len"].unique().to_list() == [6]
    for metric, method in table.select("metric", "ci_method").iter_rows():
        assert method == (JACKKNIFE if metric.startswith("macro") else PERCENTILE)


def test_p_values_are_adjusted_over_the_tiers_of_each_metric():
    table = compare([run_of(1)], [run_of(2)], BOOTSTRAP, NAMES)
    for _, rows in table.group_by("metric"):
        assert rows["p_adjusted"].to_list() == holm(rows["p_value"].to_list())


@pytest.mark.parametrize("seeds", [1, SEEDS_DRAWN_FROM - 1, SEEDS_DRAWN_FROM])
def test_seeds_are_drawn_as_soon_as_there_are_enough(seeds):
    """Below that the interval says that it is conditional on them."""
    baseline, against = ([run_of(10 * side + seed) for seed in range(seeds)] for side in (1, 2))
    table = compare(baseline, against, BOOTSTRAP, NAMES)
    drawn = seeds >= SEEDS_DRAWN_FROM
    assert set(table["ci_seeds"]) == {"drawn" if drawn else "conditional"}
    assert set(table["n_seeds"]) == {seeds}
    one = table.filter(tier="all", metric="micro_f1").row(0, named=True)
    values = [
        [run.statistics["all", "micro_f1"].value for run in side] for side in (baseline, against)
    ]
    assert one["delta"] == pytest.approx(np.mean(values[1]) - np.mean(values[0]))


def test_seeds_that_differ_widen_the_interval():
    """Four seeds twice are eight: the same mean, and the seeds' own spread on top."""
    baseline = [run_of(seed) for seed in range(4)]
    against = [run_of(seed, lift=seed) for seed in range(4)]
    few = compare(baseline, against, BOOTSTRAP, NAMES)
    many = compare(2 * baseline, 2 * against, BOOTSTRAP, NAMES)
    for metric in ("micro_f1", "macro_f1_all_codes"):
        widths = []
        for table in (few, many):
            row = table.filter(tier="all", metric=metric).row(0, named=True)
            widths.append(row["ci_high"] - row["ci_low"])
        assert widths[1] > widths[0]
