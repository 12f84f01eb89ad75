"""Codes of one sex or age: what numbers suffice, what contradicts, and what chance alone finds."""

import numpy as np
import polars as pl
import pytest
from longtail_icd.common.tables import TABLES
from longtail_icd.plan.demographics import (
    find_demographics,
    first_notes,
    observed_bounds,
    share_at_least,
    share_at_most,
    summary,
)
from scipy.stats import binomtest

NOTE = {"note_id": pl.String, "patient_id": pl.String, "sex": pl.String, "age": pl.Float64}
BOUNDS = pl.DataFrame(
    [
        ("icd9cm", "diagnosis", "650", "650", "F", 9.0, 65.0, "delivery", "mce"),
        ("icd9cm", "diagnosis", "V30", "V39", None, None, 1.0, "liveborn", "mce"),
        ("icd9cm", "diagnosis", "185", "185", "M", None, None, "prostate", "mce"),
    ],
    schema={
        **dict.fromkeys(("version", "kind", "first", "last", "sex"), pl.String),
        **dict.fromkeys(("age_low", "age_high"), pl.Float64),
        **dict.fromkeys(("words", "source"), pl.String),
    },
    orient="row",
)


def hospital(*groups: tuple[str, int, str | None, float | None]) -> tuple[pl.DataFrame, ...]:
    """Return space, labels and notes: per group so many patients with a code, a sex and an age."""
    patients = [(code, sex, age) for code, count, sex, age in groups for _ in range(count)]
    notes = [(f"n{n}", f"p{n}", sex, age) for n, (_, sex, age) in enumerate(patients)]
    labels = [(f"n{n}", "icd9cm", code, "diagnosis", 1) for n, (code, *_) in enumerate(patients)]
    labels = pl.DataFrame(labels, schema=TABLES["corpus/labels"].columns, orient="row")
    space = labels.select("version", "code", "kind").unique()
    return space, labels, pl.DataFrame(notes, schema=NOTE, orient="row")


def found(*groups) -> dict[str, tuple]:
    space, labels, notes = hospital(*groups)
    table, _ = find_demographics(space, BOUNDS, labels, notes)
    return {code: tuple(bounds) for code, *bounds in table.iter_rows()}


@pytest.mark.parametrize("outside", [0, 1, 7, 30])
def test_shares_are_bounded_as_clopper_and_pearson_do(outside):
    """scipy's own interval, two-sided at 90 %, has our one-sided 95 % bounds as its ends."""
    interval = binomtest(outside, 30).proportion_ci(0.9, "exact")
    k, n = np.array([outside]), np.array([30])
    assert share_at_most(k, n) == pytest.approx([interval.high])
    assert share_at_least(k, n) == pytest.approx([interval.low])


def test_shares_without_observations_say_nothing():
    nothing = np.array([0])
    assert (share_at_most(nothing, nothing), share_at_least(nothing, nothing)) == (1, 0)


OTHERS = (("401.9", 300, "F", 70.0), ("401.9", 300, "M", 70.0), ("774.6", 50, "F", 0.0))


def test_the_classification_alone_speaks_where_sex_and_age_are_unknown():
    assert found(("650", 9, None, None), ("V30.00", 9, None, None), ("401.9", 9, None, None)) == {
        "650": ("F", 9, 65, "classification"),
        "V30.00": (None, None, 1, "classification"),
    }


@pytest.mark.parametrize(
    ("men", "women", "sex"), [(148, 0, None), (149, 0, "M"), (234, 1, None), (235, 1, "M")]
)
def test_train_notes_add_a_sex_where_the_other_is_surely_below_2_percent(men, women, sex):
    """Upper bounds of 0 of 148, 0 of 149, 1 of 235, 1 of 236: 0.02004, 0.0199, 0.02003, 0.0199."""
    table = found(*OTHERS, ("607.1", men, "M", 40.0), ("607.1", women, "F", 40.0))
    assert table.get("607.1", (None,))[0] == sex


def test_train_notes_add_ages_at_the_edges_alone():
    """Newborns are 50 of 650 patients: 600 adults without one are no chance."""
    table = found(*OTHERS, ("774.6", 150, "M", 0.02))
    assert table["401.9"] == (None, 18, None, "train notes")
    assert table["774.6"] == (None, None, 1, "train notes")


def test_what_the_whole_hospital_has_is_no_bound():
    """In a hospital for men every code has only men; in one of adults, only adults."""
    assert found(("401.9", 900, "M", 60.0), ("250.00", 900, "M", 60.0)) == {}


def test_a_few_exceptions_drop_no_bound_of_the_classification():
    """2 men of 40 mothers are errors of coding; the mother of 70 years is one, too."""
    table = found(("650", 38, "F", 30.0), ("650", 2, "M", 30.0), ("650", 1, "F", 70.0))
    assert table["650"] == ("F", 9, 65, "classification")


@pytest.mark.parametrize(("count", "bound"), [(1, "M"), (2, None), (3, None)])
def test_train_notes_that_contradict_the_classification_drop_its_bound(count, bound):
    """One woman is an error; two women and no man are not."""
    assert found(("185", count, "F", 60.0)).get("185", (None,))[0] == bound


def test_a_share_of_exceptions_drops_the_bound_where_it_is_surely_above_a_tenth():
    """Lower bounds of 5 and 7 of 30: 0.07 and 0.11."""
    assert found(("185", 25, "M", 60.0), ("185", 5, "F", 60.0))["185"][0] == "M"
    assert "185" not in found(("185", 23, "M", 60.0), ("185", 7, "F", 60.0))


def test_sex_and_age_fall_apart_and_are_counted():
    space, labels, notes = hospital(("650", 30, "F", 70.0))
    table, dropped = find_demographics(space, BOUNDS, labels, notes)
    assert table.rows() == [("650", "F", None, None, "classification")]
    assert dropped == 1
    assert "1 codes whose bounds the train notes contradict" in summary(table, dropped)


def test_one_bound_of_each_source_is_both():
    table = found(*OTHERS, ("185", 300, "M", 60.0))
    assert table["185"] == ("M", 18, None, "both")


def test_a_patient_counts_once_per_code_by_the_first_note():
    notes = pl.DataFrame(
        [("3", "p", "F", 41.0), ("1", "p", "F", 40.0), ("2", "q", "X", None)],
        schema=NOTE,
        orient="row",
    )
    labels = pl.DataFrame(
        [(note, "icd9cm", "401.9", "diagnosis", 1) for note in "123"],
        schema=TABLES["corpus/labels"].columns,
        orient="row",
    )
    assert sorted(first_notes(labels, notes).rows(), key=str) == [
        ("401.9", "F", 40.0),
        ("401.9", None, None),
    ]


def test_codes_outside_the_label_space_are_not_in_the_table():
    space, labels, notes = hospital(("650", 3, "F", 30.0), ("V30.00", 3, "F", 0.0))
    table, _ = find_demographics(space.filter(pl.col("code") == "650"), BOUNDS, labels, notes)
    assert table["code"].to_list() == ["650"]


def test_row_order_changes_nothing():
    space, labels, notes = hospital(*OTHERS, ("185", 300, "M", 60.0), ("650", 9, None, None))
    table, _ = find_demographics(space, BOUNDS, labels, notes)
    shuffled = [frame.sample(fraction=1, shuffle=True, seed=3) for frame in (space, labels, notes)]
    assert find_demographics(shuffled[0], BOUNDS, *shuffled[1:])[0].equals(table)


@pytest.mark.parametrize("share_of_men", [0.5, 0.9, 0.99])
def test_chance_alone_finds_a_bound_in_at_most_one_hospital_in_twenty(share_of_men):
    """40 hospitals of 60 codes whose patients have random sexes and ages.

    At 99 % men about a third of the codes have fewer than 2 % women by the interval alone: what
    protects is the test against the hospital's own share.
    """
    generator = np.random.default_rng(1)
    sizes = generator.integers(50, 1000, 60)
    codes = np.repeat(np.arange(60).astype(str), sizes)
    wrong, low_shares = 0, 0
    for _ in range(40):
        men = generator.random(len(codes)) < share_of_men
        ages = np.where(generator.random(len(codes)) < 1 - share_of_men, 0.0, 50.0)
        sexes = np.where(men, "M", "F")
        patients = pl.DataFrame({"code": codes, "sex": sexes, "age": ages})
        wrong += not observed_bounds(patients, patients).is_empty()
        women = np.bincount(codes.astype(int), weights=~men)
        low_shares += int((share_at_most(women, sizes) <= 0.02).sum())
    assert wrong <= 2
    if share_of_men == 0.99:
        assert low_shares > 40 * 60 * 0.1
