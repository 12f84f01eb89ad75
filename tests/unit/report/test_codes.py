"""Per code: F1 and confusion with siblings by hand, and against the plain definition."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.evaluation.scores import Scores
from longtail_icd.report.codes import average_seeds, describe_codes, mistaken, score_codes
from longtail_icd.report.families import family_confusion, family_table

CODES = ["250.01", "250.02", "401.9"]
GOLD = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], dtype=bool)
PREDICTED = np.array([[0, 1, 1], [0, 1, 0], [1, 0, 0]], dtype=bool)


def described():
    tiers = pl.DataFrame(
        {"version": "icd9cm", "code": CODES, "kind": "diagnosis", "n_train": [5, 40, 200]}
    ).with_columns(tier=pl.Series(["few_shot", "medium", "head"]))
    nodes = [("icd9cm", code, "diagnosis", f"title {code}", code[:3]) for code in CODES[:2]]
    taxonomy = pl.DataFrame(
        nodes, schema=["version", "code", "kind", "title", "category"], orient="row"
    )
    missing = TABLES["terminology/codes"].columns.keys() - set(taxonomy.columns)
    return describe_codes(CODES, tiers, taxonomy.with_columns(**dict.fromkeys(missing)))


def run_rows(predicted=PREDICTED):
    """Logits of 1 and -1 for what is predicted and what is not."""
    notes = ["a", "b", "c"]
    scores = Scores(np.where(predicted, 1.0, -1.0), notes, CODES)
    labels = pl.DataFrame(
        [(notes[row], CODES[column]) for row, column in zip(*np.nonzero(GOLD), strict=True)],
        schema=["note_id", "code"],
        orient="row",
    )
    names = {"model": "plm_icd", "train_set": "original"}
    return score_codes(scores, 0.0, labels, described(), names)


def test_a_code_that_the_taxonomy_lacks_is_a_family_of_its_own():
    rows = described()
    assert rows["family"].to_list() == ["icd9cm 250", "icd9cm 250", "icd9cm 401.9"]
    assert rows["title"].to_list() == ["title 250.01", "title 250.02", None]


def test_only_a_sibling_that_the_note_does_not_have_is_a_mistake():
    found = mistaken(GOLD, PREDICTED, np.array([0, 0, 1]))
    # Note a got 250.02 for 250.01. Note b has both: its 250.01 is missed, but 250.02 is right.
    assert np.argwhere(found).tolist() == [[0, 0]]


@given(arrays(bool, (4, 5)), arrays(bool, (4, 5)), arrays(np.int64, 5, elements=st.integers(0, 2)))
def test_confusion_agrees_with_its_definition_cell_by_cell(gold, predicted, family):
    found = mistaken(gold, predicted, family)
    for note, code in np.ndindex(*gold.shape):
        missed = gold[note, code] and not predicted[note, code]
        sibling = any(
            predicted[note, other] and not gold[note, other] and family[other] == family[code]
            for other in range(5)
        )
        assert found[note, code] == (missed and sibling)


def test_scores_by_hand_and_means_over_seeds():
    rows = run_rows()
    assert rows["n_test"].to_list() == [2, 1, 1]
    # 250.01: 0 hits; 250.02: 1 hit, 1 false alarm; 401.9: 0 hits.
    assert rows["f1"].to_list() == [0.0, pytest.approx(2 / 3), 0.0]
    assert rows["missed"].to_list() == [2.0, 0.0, 1.0]
    assert rows["mistaken"].to_list() == [1.0, 0.0, 0.0]
    both = average_seeds(pl.concat([rows, run_rows(GOLD)]))
    assert both["f1"].to_list() == [0.5, pytest.approx(5 / 6), 0.5]
    assert both["missed"].to_list() == [1.0, 0.0, 0.5]
    assert both.schema == empty_table("report/codes").schema


def test_families_count_codes_with_siblings_only():
    rows = {row[2]: row[3:] for row in family_confusion(run_rows()).iter_rows()}
    assert rows == {"few_shot": (2, 2.0, 1.0), "medium": (1, 0.0, 0.0), "all": (3, 2.0, 1.0)}
    table = family_table(run_rows(), "plm_icd", ["original"])
    cells = {name: row for name, *row in table.rows}
    assert cells["all codes"] == ["3", "2", "1 (50.0%)"]
    assert cells["medium"] == ["1", "0", "0"]  # nothing missed: no share
    assert cells["head"] == ["–", "–", "–"]
