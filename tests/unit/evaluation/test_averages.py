"""A train set's averages: means over seeds, with the intervals of the comparisons."""

import numpy as np
import pytest
from evaluation_stage import BOOTSTRAP, make_gold, make_scores
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation.averages import average
from longtail_icd.evaluation.compare import SEEDS_DRAWN_FROM, compare, read_run
from longtail_icd.evaluation.resampling import patient_weights
from longtail_icd.evaluation.scores import Scores

NAMES = {"model": "plm_icd", "train_set": "original"}
WEIGHTS = patient_weights(4, BOOTSTRAP["samples"], BOOTSTRAP["seed"])


def run_of(seed, outside=1):
    scores = make_scores(seed)
    gold = make_gold(scores, outside)
    return read_run(f"plm_icd/original/seed{seed}", scores, 0.3, gold, WEIGHTS, [2])


def test_each_metric_is_the_mean_of_the_runs():
    runs = [run_of(seed) for seed in range(3)]
    table = average(runs, BOOTSTRAP, NAMES)
    assert table.columns == list(TABLES["evaluation/averages"].columns)
    for tier, metric, value in table.select("tier", "metric", "value").iter_rows():
        expected = np.mean([run.statistics[tier, metric].value for run in runs])
        assert value == pytest.approx(expected), (tier, metric)
    assert set(table["n_seeds"]) == {3} and set(table["ci_seeds"]) == {"conditional"}


def test_a_value_is_its_difference_from_a_run_that_finds_nothing():
    """The intervals are made as those of the comparisons."""
    runs = [run_of(seed) for seed in range(SEEDS_DRAWN_FROM)]
    silent = make_scores()
    silent = Scores(np.full_like(silent.logits, -9.0), silent.note_ids, silent.codes)
    nothing = read_run("plm_icd/none/seed1", silent, 0.3, make_gold(silent), WEIGHTS, [2])
    options = BOOTSTRAP | {"confidence": 0.9}
    names = {"baseline": "none", "against": "original", "model": "plm_icd"}
    differences = compare([nothing] * len(runs), runs, options, names)
    averages = average(runs, options, NAMES)
    keys = ["ci_low", "ci_high", "ci_method", "ci_seeds", "support"]
    for metric in ("micro_f1", "macro_f1_all_codes"):
        left, right = (
            one.filter(metric=metric).sort("tier").select(keys) for one in (averages, differences)
        )
        assert left.equals(right)
    assert set(averages["ci_seeds"]) == {"drawn"}


def test_runs_with_other_gold_labels_have_no_mean():
    with pytest.raises(UserError, match="were scored on different notes"):
        average([run_of(1), run_of(2, outside=2)], BOOTSTRAP, NAMES)
