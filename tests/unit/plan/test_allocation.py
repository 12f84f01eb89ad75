"""The paper's allocation: its table by hand, its published total, its laws."""

import math
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES
from longtail_icd.plan.allocation import allocate, summary

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
