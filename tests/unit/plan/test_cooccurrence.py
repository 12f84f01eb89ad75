"""Pair counts and NPMI: hand-computed values, laws, agreement with plain counting."""

import math
from collections import Counter
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES
from longtail_icd.plan.cooccurrence import mine_cooccurrence


def labels_of(notes: dict[str, list[str]]) -> pl.DataFrame:
    rows = [
        (note, "icd9cm", code, "diagnosis", position)
        for note, codes in notes.items()
        for position, code in enumerate(codes, start=1)
    ]
    return pl.DataFrame(rows, schema=TABLES["corpus/labels"].columns, orient="row")


NOTES = st.dictionaries(
    st.text("123456", min_size=1, max_size=3),
    st.lists(st.sampled_from(["038.9", "38.93", "401.9", "V45.81", "E878.2"]), min_size=1),
    max_size=12,
)


def test_hand_computed_counts_and_npmi():
    """Four notes; a and b share two of them, a and c one, b and c one."""
    pairs = mine_cooccurrence(
        labels_of({"1": ["b", "a"], "2": ["a", "b", "c"], "3": ["a"], "4": ["d"]})
    )
    assert pairs.select("code_a", "code_b", "notes").rows() == [
        ("a", "b", 2),
        ("a", "c", 1),
        ("b", "c", 1),
    ]
    expected = [
        math.log(0.5 / (0.75 * 0.5)) / -math.log(0.5),
        math.log(0.25 / (0.75 * 0.25)) / -math.log(0.25),
        math.log(0.25 / (0.5 * 0.25)) / -math.log(0.25),
    ]
    assert pairs["npmi"].to_list() == pytest.approx(expected)


def test_pair_in_every_note_has_npmi_one():
    """p_ab = 1 makes the formula 0/0; its limit is 1."""
    pairs = mine_cooccurrence(labels_of({"1": ["a", "b"], "2": ["b", "a"]}))
    assert pairs.rows() == [("a", "b", 2, 1.0)]


def test_pair_that_only_stands_together_has_npmi_one():
    pairs = mine_cooccurrence(labels_of({"1": ["a", "b"], "2": ["c"], "3": ["c"]}))
    assert pairs["npmi"].to_list() == pytest.approx([1.0])


def test_independent_pair_has_npmi_zero():
    pairs = mine_cooccurrence(labels_of({"1": ["a", "b"], "2": ["a"], "3": ["b"], "4": ["c"]}))
    assert pairs["npmi"].to_list() == pytest.approx([0.0])


def test_no_labels_no_pairs():
    pairs = mine_cooccurrence(labels_of({}))
    assert pairs.is_empty()
    assert pairs.schema == pl.Schema(TABLES["plan/cooccurrence"].columns)


@given(NOTES)
def test_agrees_with_plain_counting_in_order(notes):
    """A repeated label counts once; rows are sorted pairs in sorted order; NPMI in [-1, 1]."""
    plain = Counter()
    for codes in notes.values():
        plain.update(combinations(sorted(set(codes)), 2))
    pairs = mine_cooccurrence(labels_of(notes))
    assert pairs.select("code_a", "code_b", "notes").rows() == [
        (a, b, count) for (a, b), count in sorted(plain.items())
    ]
    assert pairs["npmi"].is_between(-1, 1).all()
    assert pairs.schema == pl.Schema(TABLES["plan/cooccurrence"].columns)


@given(NOTES, st.randoms(use_true_random=False))
def test_row_order_of_the_labels_changes_nothing(notes, generator):
    labels = labels_of(notes)
    order = list(range(len(labels)))
    generator.shuffle(order)
    assert mine_cooccurrence(labels[order]).equals(mine_cooccurrence(labels))
