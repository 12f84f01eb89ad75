"""The figure of codes: which it draws, what a mark says, and that no title can break a page."""

import re
import xml.etree.ElementTree as ET

import polars as pl
import pytest
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.report.f1_by_code import code_pairs, draw_f1_by_code, marks_of, moved_table

PAIR = {"baseline": "original", "against": "extended"}


def codes(*rows):
    """Rows of code, title, tier, n_test, F1 before, F1 after."""
    tables = [
        ("plm_icd", train_set, code, title, "f", tier, 3, n_test, f1, 0.0, 0.0)
        for code, title, tier, n_test, before, after in rows
        for train_set, f1 in (("original", before), ("extended", after))
    ]
    return pl.DataFrame(tables, schema=TABLES["report/codes"].columns, orient="row")


SAMPLE = codes(
    ("001.0", "cholera <acute>", "few_shot", 4, 0.25, 0.75),
    ("002.0", None, "few_shot", 2, 0.253, 0.751),
    ("003.0", "other", "head", 9, 0.5, 0.4),
    ("004.0", "untested", "tail", 0, 0.0, 0.0),
)


def titles(svg):
    return [
        element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")
    ]


def test_codes_without_a_test_label_are_left_out():
    assert code_pairs(SAMPLE, PAIR)["code"].to_list() == ["001.0", "002.0", "003.0"]


def test_codes_of_a_tier_at_the_same_point_share_a_mark():
    marks = marks_of(code_pairs(SAMPLE, PAIR))
    found = [(row["tier"], row["x"], row["y"], len(row["codes"])) for row in marks.to_dicts()]
    assert found == [("few_shot", 25.0, 75.0, 2), ("head", 50.0, 40.0, 1)]


def test_a_mark_names_its_codes_and_its_gain_and_titles_are_escaped():
    svg = draw_f1_by_code(code_pairs(SAMPLE, PAIR), PAIR)
    first, second = titles(svg)
    assert first.splitlines() == [
        "PLM-ICD: F1 25 → 75 (+50.0)",
        "001.0 cholera <acute> (few-shot; 3 train, 4 test)",
        "002.0 (few-shot; 3 train, 2 test)",
    ]
    assert second.startswith("PLM-ICD: F1 50 → 40 (−10.0)")
    assert re.findall(r'data-gain="([^"]+)"', svg) == ["50", "-10"]


def test_a_mark_of_many_codes_names_eight_and_counts_the_rest():
    many = codes(*((f"{n:03d}.0", "t", "tail", 1, 0.0, 0.0) for n in range(20)))
    (title,) = titles(draw_f1_by_code(code_pairs(many, PAIR), PAIR))
    assert len(title.splitlines()) == 10
    assert title.endswith("and 12 more codes")


@pytest.mark.parametrize(
    ("comparison", "frame"), [(None, SAMPLE), (PAIR, empty_table("report/codes"))]
)
def test_without_a_comparison_or_codes_the_figure_says_so(comparison, frame):
    svg = draw_f1_by_code(code_pairs(frame, comparison), comparison)
    ET.fromstring(svg)
    assert "no comparison of codes" in svg


def test_moved_codes_by_gain_times_labels():
    rows = moved_table(code_pairs(SAMPLE, PAIR), "plm_icd", size=1).rows
    assert [row[0] for row in rows] == ["001.0 cholera <acute>", "003.0 other"]
    assert rows[0][1:] == ["few-shot", "3", "4", "25.0", "75.0", "+50.0"]
