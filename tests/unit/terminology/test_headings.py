"""A heading without an official title gets one that is about what lies below it."""

import polars as pl
from longtail_icd.terminology.headings import (
    Given,
    codes_below,
    common_words,
    derive_title,
    read_headings,
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
    assert title_headings(headings, {"12": "Injury"}, Given()) == [
        ("12", "Injury", "node_above"),
        ("12.1", "Injury", "node_above"),
    ]
    given = Given({"12": "Injury of hand"}, "headings_file")
    assert title_headings(headings, {"12": "Injury"}, given) == [
        ("12", "Injury of hand", "headings_file"),
        ("12.1", "Injury of hand", "node_above"),
    ]


def test_headings_from_a_file(tmp_path):
    path = tmp_path / "headings"
    path.write_text("008.6\tEnteritis  [SRV&apos;s]\n001-009.99\tRANGE\n@\t\n", encoding="utf-8")
    assert read_headings(path).titles == {"008.6": "Enteritis [SRV's]", "001-009.99": "RANGE"}
