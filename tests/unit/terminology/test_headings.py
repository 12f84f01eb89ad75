"""A heading without an official title gets one that is about what lies below it."""

import polars as pl
from longtail_icd.terminology.headings import (
    codes_below,
    common_words,
    derive_title,
    title_headings,
    unspecified_title,
)


def test_the_residual_code_names_its_heading():
    below = [("0", "Congestive heart failure, unspecified"), ("9", "Heart failure, unspecified")]
    assert unspecified_title(below) == "Heart failure"
    assert unspecified_title([("10", "Unspecified septicemia")]) is None


def test_shared_words_must_begin_a_title_and_name_something():
    assert common_words(["Crushing injury of hip", "Crushing injury of thigh"]) == "Crushing injury"
    assert common_words(["Other repair of eye", "Closure of eye"]) is None
    assert common_words(["Other operations on colon", "Operations on colon"]) == "Colon"
    assert common_words(["Fracture", "Burn"]) is None


def test_the_node_above_is_the_last_resort():
    assert derive_title([("0", "Fracture"), ("1", "Burn")], "Injury") == ("Injury", "node_above")


def test_headings_take_over_what_stands_above_them():
    leaves = pl.DataFrame(
        {"code": ["12.11", "12.12", "12.2"], "title": ["Fracture", "Burn", "Cut of hand"]}
    )
    headings = codes_below(
        leaves, pl.concat_list(pl.col("code").str.head(2), pl.col("code").str.head(4))
    )
    assert sorted(headings) == ["12", "12.1"]  # 12.2 is a leaf, no heading
    assert headings["12.1"] == [("1", "Fracture"), ("2", "Burn")]
    assert title_headings(headings, {"12": "Injury"}) == [
        ("12", "Injury", "node_above"),
        ("12.1", "Injury", "node_above"),
    ]
