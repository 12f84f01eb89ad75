"""Contradictions: expanded to the label space, complete, symmetric; matrix and list agree."""

from itertools import combinations

import demo_terminology
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.plan.bounds import classified_bounds, read_bounds
from longtail_icd.plan.conflicts import (
    age_lists,
    conflict_matrix,
    conflicts_in,
    excluding_lists,
    find_conflicts,
    keep_unrefuted,
    sex_lists,
    summary,
)
from longtail_icd.terminology.excludes import extract_excludes
from longtail_icd.terminology.lookup import Ancestors


def table(name: str, rows: list[tuple]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=TABLES[name].columns, orient="row")


def space_of(*codes: str, version: str = "icd10cm") -> pl.DataFrame:
    rows = [(version, code, "diagnosis") for code in codes]
    schema = dict.fromkeys(("version", "code", "kind"), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


TAXONOMY = table(
    "terminology/codes",
    [
        ("icd10cm", code, "diagnosis", "", "", parent, code[:3], "E08-E13", "4", True)
        for code, parent in {
            "E08-E13": None,
            "E10": "E08-E13",
            "E10.9": "E10",
            "E11": "E08-E13",
            "E11.6": "E11",
            "E11.65": "E11.6",
            "E11.9": "E11",
        }.items()
    ],
)
EXCLUDES = table("terminology/excludes", [("icd10cm", "E11", "E10", "type 1 (E10.-)")])
NO_PAIRS = empty_table("plan/cooccurrence")


def test_exclusions_that_were_carried_over_yield_to_what_coders_do():
    """Of two carried pairs that notes hold, the level is .05 / 2; ICD-10-CM's own notes stay."""
    excludes = table(
        "terminology/excludes",
        [
            ("icd9cm", "038.9", "995.91", "asked for in ICD-9-CM"),
            ("icd9cm", "531.90", "578.9", "together by chance"),
            ("icd9cm", "780.01", "250.00", "never together"),
            ("icd10cm", "E10", "E11", "its own"),
        ],
    )
    pairs = table(
        "plan/cooccurrence",
        [
            ("038.9", "995.91", 40, 0.4, 0.4, 0.5, 1e-9),
            ("531.90", "578.9", 3, 0.1, 0.1, 0.1, 0.026),
            ("E10", "E11", 9, 0.9, 0.9, 0.9, 1e-9),
        ],
    )
    assert keep_unrefuted(excludes, pairs).equals(excludes[1:])


def test_notes_reach_every_code_of_the_label_space_at_or_below_their_nodes():
    """A heading can be a label; E11.99 is in no list and stands below E11.9; E12 is not meant."""
    space = space_of("E10", "E10.9", "E11.65", "E11.99", "E12.1")
    lists = excluding_lists(EXCLUDES, space, TAXONOMY)
    assert lists.select("codes_a", "codes_b", "reason", "note").rows() == [
        (["E11.65", "E11.99"], ["E10", "E10.9"], "excludes1", "type 1 (E10.-)")
    ]


def test_notes_without_codes_on_both_sides_give_no_row():
    assert excluding_lists(EXCLUDES, space_of("E11.65"), TAXONOMY).is_empty()


def test_notes_of_another_system_do_not_reach_a_code_of_the_same_name():
    space = space_of("E10.9", "E11.9", version="icd9cm")
    assert excluding_lists(EXCLUDES, space, TAXONOMY).is_empty()


def bounds(**codes: tuple) -> pl.DataFrame:
    rows = [(code, *bound, "classification") for code, bound in codes.items()]
    return table("plan/demographics", rows)


MOTHER, NEWBORN, PROSTATE = ("F", 9.0, 65.0), (None, None, 1.0), ("M", 15.0, None)


def test_women_against_men():
    rows = sex_lists(bounds(mother=MOTHER, newborn=NEWBORN, prostate=PROSTATE))
    assert rows.select("codes_a", "codes_b", "note").rows() == [
        (["mother"], ["prostate"], "F only, M only")
    ]


def test_one_sex_alone_contradicts_nothing():
    assert sex_lists(bounds(mother=MOTHER, newborn=NEWBORN)).is_empty()


def test_ages_that_do_not_meet():
    """An age bound is under its upper end: 20 years are both of [2, 20) and [20, …), nobody is."""
    demographics = bounds(
        mother=MOTHER, newborn=NEWBORN, adult=(None, 20.0, None), child=(None, 2.0, 20.0)
    )
    assert age_lists(demographics).select("codes_a", "codes_b", "note").rows() == [
        (["newborn"], ["child"], "under 1, 2 or older"),
        (["newborn"], ["mother"], "under 1, 9 or older"),
        (["newborn"], ["adult"], "under 1, 20 or older"),
        (["child"], ["adult"], "under 20, 20 or older"),
    ]


def overlap(a: tuple, b: tuple) -> bool:
    low = max(a[1] or 0, b[1] or 0)
    return low < min(a[2] or 200, b[2] or 200)


AGE = st.one_of(st.none(), st.sampled_from([1.0, 5.0, 9.0, 18.0, 20.0]))
BOUND = st.tuples(st.sampled_from([None, "F", "M"]), AGE, AGE).filter(
    lambda bound: None in bound[1:] or bound[1] < bound[2]
)


@given(st.lists(BOUND, max_size=8))
def test_exactly_the_pairs_of_other_sex_or_age_contradict(drawn):
    """And a set without a contradicting pair has a person who can have all of it (Helly)."""
    codes = {f"c{number}": bound for number, bound in enumerate(drawn)}
    rows = find_conflicts(EXCLUDES, NO_PAIRS, bounds(**codes), space_of(*codes), TAXONOMY)
    expected = []
    for (a, one), (b, other) in combinations(sorted(codes.items()), 2):
        if not overlap(one, other):
            expected.append((a, b, "age"))
        if {one[0], other[0]} == {"F", "M"}:
            expected.append((a, b, "sex"))
    assert [row[:3] for row in conflicts_in(rows, list(codes))] == expected
    matrix = conflict_matrix(rows, sorted(codes)).toarray()
    assert {(a, b) for a, b, _ in expected} == {
        (a, b)
        for (i, a), (j, b) in combinations(enumerate(sorted(codes)), 2)
        if matrix[i, j] and matrix[j, i]
    }
    assert not matrix.diagonal().any()
    if not expected:
        oldest_low = max((low or 0 for _, low, _ in drawn), default=0)
        assert oldest_low < min((high or 200 for *_, high in drawn), default=200)
        assert not {"F", "M"} <= {sex for sex, *_ in drawn}


def test_matrix_follows_the_order_of_the_codes_and_ignores_others():
    rows = table("plan/conflicts", [(["a", "x"], ["b", "c"], "sex", "")])
    assert conflict_matrix(rows, ["c", "d", "a"]).toarray().tolist() == [
        [False, False, True],
        [False, False, False],
        [True, False, False],
    ]


def test_no_conflicts_is_an_empty_matrix_and_an_empty_list():
    rows = empty_table("plan/conflicts")
    assert conflict_matrix(rows, ["a", "b"]).nnz == 0
    assert conflicts_in(rows, ["a", "b"]) == []
    nothing = find_conflicts(
        empty_table("terminology/excludes"), NO_PAIRS, bounds(), space_of("E10.9"), TAXONOMY
    )
    assert nothing.equals(rows)


def test_a_pair_is_named_once_per_reason():
    """Both codes name each other in the classification; the first note, sorted, is shown."""
    rows = table(
        "plan/conflicts",
        [
            (["a"], ["b"], "excludes1", "zeta"),
            (["b"], ["a"], "excludes1", "alpha"),
            (["a"], ["b"], "age", "under 1, 9 or older"),
        ],
    )
    assert conflicts_in(rows, ["b", "a", "c"]) == [
        ("a", "b", "age", "under 1, 9 or older"),
        ("a", "b", "excludes1", "alpha"),
    ]


def test_the_log_counts_pairs_and_the_notes_that_carry_them():
    """Three pairs, two of them in notes 1 and 2; a, b is in both."""
    rows = table("plan/conflicts", [(["a"], ["b", "c", "d"], "excludes1", "")])
    notes = {"1": "abc", "2": "ab", "3": "bcd"}
    labels = table(
        "corpus/labels",
        [(note, "icd9cm", code, "diagnosis", 1) for note, codes in notes.items() for code in codes],
    )
    tiers = table("plan/tiers", [("icd9cm", code, "diagnosis", 1, "few_shot") for code in "abcd"])
    assert "excludes1 3 (2 of them in 2 train notes), sex 0 (0" in summary(rows, tiers, labels)


@pytest.fixture(scope="module")
def real() -> dict[str, tuple[pl.DataFrame, list[str]]]:
    """The conflicts of every diagnosis of both classifications, by version."""
    ranges = read_bounds(demo_terminology.ROOT / "resources" / "demographic_bounds.csv")
    found = {}
    for version in ("icd9cm", "icd10cm"):
        taxonomy = demo_terminology.taxonomy(version)
        space = taxonomy.filter(pl.col("is_leaf"), kind="diagnosis")
        if version == "icd10cm":  # all but injuries, for time
            space = space.filter(~pl.col("code").str.contains("^[STVWXYM]"))
        bound = classified_bounds(space, ranges).with_columns(source=pl.lit("classification"))
        excludes = extract_excludes([version])
        codes = space["code"].sort().to_list()
        found[version] = (find_conflicts(excludes, NO_PAIRS, bound, space, taxonomy), codes)
    return found


@pytest.mark.parametrize(
    ("version", "a", "b", "reasons"),
    [
        # Mother and newborn: never one patient.
        ("icd9cm", "V27.0", "V30.00", ["age"]),
        ("icd9cm", "650", "774.6", ["age"]),
        ("icd9cm", "656.61", "765.18", ["age"]),
        ("icd10cm", "O80", "Z38.00", ["age"]),
        ("icd10cm", "Z37.0", "P59.9", ["age"]),
        # Two sexes.
        ("icd9cm", "185", "650", ["sex"]),
        ("icd9cm", "600.00", "V30.00", ["age"]),
        ("icd10cm", "C61", "O80", ["sex"]),
        # Types of diabetes; what goes together.
        ("icd9cm", "250.00", "250.01", ["excludes1"]),
        ("icd10cm", "E10.9", "E11.9", ["excludes1"]),
        ("icd9cm", "650", "V27.0", []),
        ("icd9cm", "774.6", "V30.00", []),
        ("icd9cm", "250.00", "401.9", []),
        ("icd10cm", "E11.9", "I10", []),
    ],
)
def test_known_pairs_of_the_classifications(real, version, a, b, reasons):
    conflicts, _ = real[version]
    assert [reason for _, _, reason, _ in conflicts_in(conflicts, [b, a])] == reasons


@pytest.mark.parametrize("version", ["icd9cm", "icd10cm"])
def test_no_code_contradicts_itself_or_a_code_above_or_below(real, version):
    conflicts, codes = real[version]
    matrix = conflict_matrix(conflicts, codes)
    assert matrix.dtype == bool
    assert matrix.diagonal().sum() == 0
    assert (matrix != matrix.T).nnz == 0
    ancestors = Ancestors(demo_terminology.taxonomy(version), version)
    for row in conflicts.filter(reason="excludes1").iter_rows(named=True):
        above = {node for code in row["codes_a"] for node in ancestors.of(code)}
        assert not above & set(row["codes_b"])
        assert not set(row["codes_a"]) & set(row["codes_b"])
