"""A code that the taxonomy does not know gets its nearest node's title and a counted warning."""

import time
from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common.tables import TABLES
from longtail_icd.terminology.lookup import (
    Ancestors,
    describe_unknown,
    unknown_warning,
    with_unknown,
)
from longtail_icd.terminology.taxonomy import extract_taxonomy

RANGES = Path(__file__).parents[3] / "resources" / "icd9_ranges.csv"


@pytest.fixture(scope="module")
def codes():
    return extract_taxonomy(["icd9cm"], RANGES)


def _wanted(*codes, kind="diagnosis"):
    return pl.DataFrame({"version": "icd9cm", "code": codes, "kind": kind})


def test_known_nodes_need_nothing(codes, capsys):
    """518.5 and 585 are labels of MIMIC-III that V32 has only as headings."""
    table = with_unknown(codes, _wanted("428.0", "518.5", "585"))
    assert table.equals(codes)
    assert capsys.readouterr().out == ""


def test_unknown_codes_fall_back_to_the_longest_known_prefix(codes):
    unknown = describe_unknown(codes, _wanted("719.70", "719.70", "428.99", "QQQ"))
    assert unknown.schema == TABLES["terminology/codes"].columns
    assert unknown.select("code", "parent", "category", "chapter", "title_source").rows() == [
        ("428.99", "428.9", "428", "390-459", "fallback"),
        ("719.70", "719.7", "719", "710-739", "fallback"),
        ("QQQ", None, None, None, "fallback"),
    ]
    assert unknown["title"].to_list() == [
        "Heart failure, unspecified",
        "Difficulty in walking",
        "QQQ",
    ]


def test_a_procedure_never_falls_back_to_a_diagnosis(codes):
    unknown = describe_unknown(codes, _wanted("36.01", kind="procedure"))
    assert unknown.select("kind", "parent", "chapter").rows() == [("procedure", "36.0", "35-39")]


def test_one_warning_counts_all_and_names_at_most_ten(codes, capsys):
    wanted = _wanted(*(f"Q{number:02d}" for number in range(12)))
    assert with_unknown(codes, wanted).height == codes.height + 12
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert "12 codes" in lines[0]
    assert "Q09" in lines[0]
    assert "Q10" not in lines[0]
    assert unknown_warning(codes.clear()) is None


def test_codes_stand_under_themselves_and_every_node_above(codes):
    """One that the table does not know stands under itself alone."""
    nodes = Ancestors(codes, "icd9cm").nodes_of(pl.Series(["428.21", "QQQ"]))
    assert nodes.rows() == [
        *((node, "428.21") for node in ("428.21", "428.2", "428", "420-429", "390-459")),
        ("QQQ", "QQQ"),
    ]


def test_ancestors(codes):
    ancestors = Ancestors(codes, "icd9cm")
    assert ancestors.of("428.21") == ["428.2", "428", "420-429", "390-459"]
    assert ancestors.of("38.93") == ["38.9", "38", "35-39"]
    assert ancestors.of("QQQ") == []


def test_a_hundred_thousand_look_ups_take_less_than_a_second(codes):
    leaves = codes.filter("is_leaf")["code"].to_list()
    wanted = (leaves * 6)[:100_000]
    start = time.process_time()
    ancestors = Ancestors(codes, "icd9cm")
    found = [ancestors.of(code)[-1] for code in wanted]
    assert len(found) == 100_000
    assert time.process_time() - start < 1
