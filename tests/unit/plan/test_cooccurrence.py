"""Pair counts, probabilities, NPMI: hand-computed values, laws, agreement with plain counting."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES
from longtail_icd.plan.cooccurrence import mine_cooccurrence, npmi, summary


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


def test_hand_computed_counts_probabilities_and_npmi():
    """Four notes, a in three, b in two, c in one; a and b share two of them, c one with each."""
    pairs = mine_cooccurrence(
        labels_of({"1": ["b", "a"], "2": ["a", "b", "c"], "3": ["a"], "4": ["d"]})
    )
    assert pairs.select("code_a", "code_b", "notes").rows() == [
        ("a", "b", 2),
        ("a", "c", 1),
        ("b", "c", 1),
    ]
    assert pairs["p_b_given_a"].to_list() == pytest.approx([2 / 3, 1 / 3, 1 / 2])
    assert pairs["p_a_given_b"].to_list() == pytest.approx([1, 1, 1])
    # Expected by chance: 3 * 2 / 4, 3 * 1 / 4, 2 * 1 / 4; half a note is added to both.
    expected = [
        math.log(2.5 / 2.0) / -math.log(2 / 4),
        math.log(1.5 / 1.25) / -math.log(1 / 4),
        math.log(1.5 / 1.0) / -math.log(1 / 4),
    ]
    assert pairs["npmi"].to_list() == pytest.approx(expected)
    # Both b notes among the three a notes of four: 3 of 6 draws; and so on.
    assert pairs["p_value"].to_list() == pytest.approx([3 / 6, 3 / 4, 2 / 4])


def test_pair_in_every_note_shows_no_more_than_its_notes():
    """The formula is 0/0 there; its limit is N / (N + 1/2). Chance would do the same: p is 1."""
    pairs = mine_cooccurrence(labels_of({"1": ["a", "b"], "2": ["b", "a"]}))
    assert pairs["npmi"].to_list() == pytest.approx([2 / 2.5])
    assert pairs["p_value"].to_list() == [1.0]


def test_npmi_at_every_note_continues_the_formula():
    notes = 10**6
    near = npmi(np.array([notes - 1.0]), np.array([(notes - 1.0) ** 2 / notes]), notes)
    assert near == pytest.approx(npmi(np.array([1.0 * notes]), np.array([1.0 * notes]), notes))


def test_independent_pair_has_npmi_zero():
    pairs = mine_cooccurrence(labels_of({"1": ["a", "b"], "2": ["a"], "3": ["b"], "4": ["c"]}))
    assert pairs["npmi"].to_list() == pytest.approx([0.0])


def test_one_shared_note_weighs_less_than_many():
    """Unshrunk, two codes that only ever stand together have 1 whatever their counts."""
    count = np.array([1.0, 10, 1000])
    once, ten, thousand = npmi(count, count * count / 10_000, 10_000)
    expected = [math.log(1.5 / 0.5001) / math.log(10_000), math.log(10.5 / 0.51) / math.log(1_000)]
    assert [once, ten] == pytest.approx(expected)
    assert once < ten < thousand == pytest.approx(1, abs=0.01)


COUNTS = st.tuples(st.integers(1, 60), st.integers(0, 300), st.integers(0, 300), st.integers(0, 99))


@given(COUNTS)
def test_shrunk_npmi_lies_between_independence_and_the_plain_formula(counts):
    both, only_a, only_b, neither = counts
    notes = both + only_a + only_b + neither
    expected = (both + only_a) * (both + only_b) / notes
    if both == notes:
        return
    plain = math.log(both / expected) / -math.log(both / notes)
    shrunk = npmi(np.array([float(both)]), np.array([expected]), notes)[0]
    assert min(0, plain) - 1e-12 <= shrunk <= max(0, plain) + 1e-12
    assert -1 <= shrunk <= 1


def test_no_labels_no_pairs():
    pairs = mine_cooccurrence(labels_of({}))
    assert pairs.is_empty()
    assert summary(pairs).startswith("0 pairs")
    assert pairs.schema == pl.Schema(TABLES["plan/cooccurrence"].columns)


@given(NOTES)
def test_agrees_with_plain_counting_in_order(notes):
    """A repeated label counts once; rows are sorted pairs in sorted order; every value in range."""
    plain = Counter()
    for codes in notes.values():
        plain.update(combinations(sorted(set(codes)), 2))
    pairs = mine_cooccurrence(labels_of(notes))
    assert pairs.select("code_a", "code_b", "notes").rows() == [
        (a, b, count) for (a, b), count in sorted(plain.items())
    ]
    assert pairs["npmi"].is_between(-1, 1).all()
    for share in ("p_b_given_a", "p_a_given_b", "p_value"):
        assert pairs[share].is_between(0, 1).all()
        assert (pairs[share] > 0).all()
    assert pairs.schema == pl.Schema(TABLES["plan/cooccurrence"].columns)


@given(NOTES, st.randoms(use_true_random=False))
def test_row_order_of_the_labels_changes_nothing(notes, generator):
    labels = labels_of(notes)
    order = list(range(len(labels)))
    generator.shuffle(order)
    assert mine_cooccurrence(labels[order]).equals(mine_cooccurrence(labels))
