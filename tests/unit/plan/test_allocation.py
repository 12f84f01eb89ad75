"""Allocation: each method by hand, the paper's published total, and laws."""

import math
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES
from longtail_icd.plan.allocation import allocate, apportion, summary

PAPER = {"method": "paper", "alpha": 0.5, "cap": 50, "offset": 5, "zero_shot": 50}


def tier_of(n: int) -> str:
    for tier, least in (("head", 1000), ("medium", 100), ("tail", 10), ("few_shot", 1)):
        if n >= least:
            return tier
    return "zero_shot"


def tiers_of(frequencies: list[int]) -> pl.DataFrame:
    rows = [
        ("icd9cm", f"{index:05d}", "diagnosis", n, tier_of(n))
        for index, n in enumerate(frequencies)
    ]
    return pl.DataFrame(rows, schema=TABLES["plan/tiers"].columns, orient="row")


@pytest.mark.parametrize(
    ("first", "last", "notes"),
    [
        (0, 0, 50),
        (1, 1, 13),
        (2, 3, 12),
        (4, 4, 11),
        (5, 7, 10),
        (8, 11, 9),
        (12, 17, 8),
        (18, 30, 7),
        (31, 59, 6),
        (60, 99, 5),
    ],
)
def test_the_papers_table(first, last, notes):
    """Notes per code by train frequency, with the paper's values."""
    allocation = allocate(tiers_of(list(range(first, last + 1))), **PAPER)
    assert allocation["n_synthetic"].unique().to_list() == [notes]
    assert allocation.schema == pl.Schema(TABLES["plan/allocation"].columns)


def test_medium_and_head_codes_are_no_anchors():
    allocation = allocate(tiers_of([99, 100, 999, 1000, 0]), **PAPER)
    assert allocation.rows() == [("00000", 5), ("00004", 50)]
    assert summary(allocation) == "55 notes for 2 anchors"


def test_mimic3_total():
    """The published train frequencies give 89,952 notes over 7,908 anchors (paper: 90,000)."""
    folder = os.environ.get("LONGTAIL_ICD_TEST_DATA")
    if folder is None:
        pytest.skip("LONGTAIL_ICD_TEST_DATA is not set")
    file = pl.read_csv(Path(folder) / "mimic3_code_frequencies.csv")
    frequencies = file.select(pl.col("n_train").repeat_by("codes").explode())["n_train"]
    allocation = allocate(tiers_of(frequencies.to_list()), **PAPER)
    assert summary(allocation) == "89952 notes for 7908 anchors"
    zero_shot = allocation.filter(pl.col("n_synthetic") == 50)
    assert zero_shot["n_synthetic"].sum() == 11850


@given(
    alpha=st.floats(0.01, 20),
    cap=st.integers(1, 500),
    offset=st.floats(2, 100),
    zero_shot=st.integers(0, 500),
)
def test_falls_with_the_frequency_and_stays_under_the_cap(alpha, cap, offset, zero_shot):
    """For n >= 1: never more notes for a more frequent code, 0 <= notes <= cap; 0 is as set."""
    allocation = allocate(
        tiers_of(list(range(100))),
        method="paper",
        alpha=alpha,
        cap=cap,
        offset=offset,
        zero_shot=zero_shot,
    )
    notes = allocation["n_synthetic"].to_list()
    assert notes[0] == zero_shot
    assert notes[1:] == sorted(notes[1:], reverse=True)
    assert all(0 <= one <= cap for one in notes[1:])
    assert notes[1] == math.floor(min(alpha * cap / math.log(1 + offset), cap))


@pytest.mark.parametrize(
    ("settings", "notes"),
    [
        # Train frequencies 0, 1, 2, 4, 9, 99.
        ({"method": "uniform", "notes": 11}, [11, 11, 11, 11, 11, 11]),
        # 20 / n
        ({"method": "power", "exponent": 1, "cap": 20, "zero_shot": 30}, [30, 20, 10, 5, 2, 0]),
        # 20 / sqrt(n): 14.1, 10, 6.7, 2.01
        ({"method": "power", "exponent": 0.5, "cap": 20, "zero_shot": 0}, [0, 20, 14, 10, 6, 2]),
        # E = 1, 1.5, 1.875, 1.996, 2 - 2^-98: 20, 13.3, 10.7, 10.02, 10
        (
            {"method": "effective_number", "beta": 0.5, "cap": 20, "zero_shot": 7},
            [7, 20, 13, 10, 10, 10],
        ),
        ({"method": "effective_number", "beta": 0, "cap": 20, "zero_shot": 7}, [7] + [20] * 5),
    ],
)
def test_other_methods_by_hand(settings, notes):
    allocation = allocate(tiers_of([0, 1, 2, 4, 9, 99]), **settings)
    assert allocation["n_synthetic"].to_list() == notes
    assert allocation.schema == pl.Schema(TABLES["plan/allocation"].columns)


def budget(frequencies: list[int], total: int, **shares: float) -> list[int]:
    every = {"tail": 0, "few_shot": 0, "zero_shot": 0} | shares
    allocation = allocate(tiers_of(frequencies), method="budget", total=total, shares=every)
    return allocation["n_synthetic"].to_list()


def test_budget_by_hand():
    """10 notes, 4 to tail and 6 to few_shot; of three tail codes the rarest gets what is left."""
    assert budget([20, 10, 15, 2, 1], 10, tail=0.4, few_shot=0.6) == [1, 2, 1, 3, 3]
    # No zero-shot code: its share goes to the others, in proportion.
    assert budget([10, 1], 9, tail=1, few_shot=2, zero_shot=7) == [3, 6]
    # Fewer notes than codes, and nothing to give to.
    assert budget([0, 0, 0], 2, zero_shot=1) == [1, 1, 0]
    assert budget([0, 0], 5, tail=1) == [0, 0]


@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=30),
    st.integers(1, 10**6),
    st.tuples(*[st.floats(0.001, 1)] * 3),
)
def test_budget_sums_exactly_and_is_even_within_a_tier(frequencies, total, shares):
    """For any shares, also those that no binary fraction equals; a tier is at most one note off
    its share, a code at most one note off the others of its tier."""
    names = ("tail", "few_shot", "zero_shot")
    notes = budget(frequencies, total, **dict(zip(names, shares, strict=True)))
    assert sum(notes) == total
    by_tier = {name: [] for name in names}
    for n, amount in zip(frequencies, notes, strict=True):
        by_tier[tier_of(n)].append(amount)
    present = sum(share for name, share in zip(names, shares, strict=True) if by_tier[name])
    for name, share in zip(names, shares, strict=True):
        if by_tier[name]:
            assert max(by_tier[name]) - min(by_tier[name]) <= 1
            assert abs(sum(by_tier[name]) - total * share / present) < 1.001


@given(st.permutations(range(6)))
def test_budget_does_not_depend_on_the_order_of_codes(order):
    tiers = tiers_of([20, 10, 15, 2, 1, 0])
    shares = {"tail": 0.5, "few_shot": 0.25, "zero_shot": 0.25}
    settings = {"method": "budget", "total": 17, "shares": shares}
    assert allocate(tiers[list(order)], **settings).equals(allocate(tiers, **settings))


def test_apportion_by_hand():
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(10, [0.1, 0.6, 0.3]) == [1, 6, 3]
    assert apportion(0, [1, 2]) == [0, 0]
    assert apportion(3, [0, 1]) == [0, 3]
