"""What the page says of the notes: hand-computed, each figure in its place."""

import polars as pl
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.generation.quality.assessment import assess_files
from longtail_icd.report.glossary import QUALITY
from longtail_icd.report.quality import evidence_table, quality_table, ratios, section_table
from quality_notes import write_files
from report_tables import quality_table as quality_sample


def rows_of(table):
    return {name: cells for name, *cells in table.rows}


def test_shares_in_points_other_figures_as_they_are_and_a_dash_for_none():
    rows = rows_of(quality_table("paper", quality_sample()))
    assert rows["words, median"] == ["0.25", "0.50", "4"]
    assert rows["codes named, in points"] == ["25.0", "50.0", "4"]
    assert rows["copied from exemplars, in points"] == ["–", "50.0", "4"]
    assert next(iter(rows)) == "words, median"
    assert len(rows) == len(QUALITY)


def test_intervals_stand_behind_their_values():
    one = ("words", None, "all", "real", 80.5, 70.0, 91.25, 4)
    table = pl.DataFrame([one], schema=TABLES["generation/quality"].columns, orient="row")
    assert rows_of(quality_table("paper", table))["words, median"][0] == "80.50 [70.00, 91.25]"


def test_sections_and_evidence():
    assert section_table("paper", quality_sample()).rows == [["Chief Complaint", "25.0", "50.0"]]
    rows = rows_of(evidence_table("paper", quality_sample()))
    assert rows["all codes"] == ["25.0", "50.0", "–", "–"]
    assert rows["few-shot"] == ["25.0", "50.0", "75.0", "–"]


def test_ratios_need_both_sides_above_zero():
    found = ratios(quality_sample())
    assert found["words, median"] == 2
    assert "copied from exemplars" not in found
    assert ratios(empty_table("generation/quality")) == {}


def test_every_measure_of_whole_samples_has_a_place_on_the_page(tmp_path):
    quality = assess_files(write_files(tmp_path), 8, 1)
    whole = quality.filter(pl.col("part").is_null())
    assert set(whole["measure"]) == set(QUALITY)
