"""All of ICD-9-CM V32 is in the taxonomy, and every node has a title and a place."""

from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common.tables import TABLES
from longtail_icd.terminology.taxonomy import extract_taxonomy

RANGES = Path(__file__).parents[3] / "resources" / "icd9_ranges.csv"


@pytest.fixture(scope="module")
def codes():
    """Return the taxonomy of ICD-9-CM."""
    return extract_taxonomy(["icd9cm"], RANGES)


def test_leaves_are_those_of_the_last_release(codes):
    leaves = codes.filter(pl.col("is_leaf"))["kind"].value_counts().sort("kind").rows()
    assert leaves == [("diagnosis", 14567), ("procedure", 3882)]


def test_every_node_has_a_title_and_a_parent_that_exists(codes):
    assert codes.columns == list(TABLES["terminology/codes"].columns)
    assert codes["title"].null_count() == 0
    assert codes["code"].is_unique().all()
    parents = codes["parent"].drop_nulls().unique()
    assert parents.is_in(codes["code"].implode()).all()
    assert codes.filter(pl.col("is_leaf"))["parent"].null_count() == 0


@pytest.mark.parametrize(
    ("code", "title", "parent", "category"),
    [
        ("038.9", "Unspecified septicemia", "038", "038"),
        ("38.93", "Venous catheterization, not elsewhere classified", "38.9", "38"),
    ],
)
def test_known_codes(codes, code, title, parent, category):
    row = codes.filter(pl.col("code") == code).row(0, named=True)
    assert (row["title"], row["parent"], row["category"]) == (title, parent, category)
