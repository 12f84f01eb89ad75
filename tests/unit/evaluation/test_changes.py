"""Which labels another train set finds or loses: by seeds, and judged by what coders gave."""

import numpy as np
import polars as pl
from evaluation_stage import labels_table, tiers_table
from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation.changes import changed_labels, codes_given
from longtail_icd.evaluation.scores import Scores
from scipy.sparse import csr_array

NAMES = {"baseline": "original", "against": "extended", "model": "plm_icd"}


def given(*places):
    return pl.DataFrame(places, schema={"note_id": pl.String, "code": pl.String}, orient="row")


def changes(baseline, against):
    table = changed_labels(baseline, against, labels_table(), tiers_table(), NAMES)
    assert table.schema == pl.Schema(TABLES["evaluation/changed_labels"].columns)
    kept = table.select("note_id", "code", "tier", "gold", "baseline_seeds", "against_seeds")
    return kept.rows()


def test_a_code_given_in_as_many_seeds_is_no_change():
    """Though in others."""
    one, none = given(("n1", "002.0")), given()
    assert changes([one, none], [none, one]) == []


def test_gains_and_losses_are_counted_by_seeds_and_judged_by_the_labels():
    """Gold labels are the places 0, 5, 10 ... of 8 notes x 6 codes: n0 has 001.0 and 38.93."""
    baseline = [given(("n0", "001.0"), ("n0", "002.0")), given(("n0", "001.0"))]
    against = [given(("n0", "001.0"), ("n0", "38.93")), given(("n0", "38.93"))]
    assert changes(baseline, against) == [
        ("n0", "001.0", "head", True, 2, 1),
        ("n0", "002.0", "few_shot", False, 1, 0),
        ("n0", "38.93", "tail", True, 0, 2),
    ]


def test_what_a_run_gave_carries_the_names_of_its_own_rows_and_columns():
    """Runs may hold their notes in another order."""
    predicted = csr_array(np.array([[False, True], [True, True]]))
    scores = Scores(np.zeros((2, 2), dtype=np.float32), ["n2", "n1"], ["a", "b"])
    assert codes_given(scores, predicted).rows() == [("n2", "b"), ("n1", "a"), ("n1", "b")]
