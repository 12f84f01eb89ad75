"""The page counts how many synonyms each tier's codes have, and where they come from."""

import runpy
from pathlib import Path

from longtail_icd.report.coverage import coverage_table, source_table

SAMPLE = runpy.run_path(str(Path(__file__).with_name("conftest.py")))


def test_codes_by_number_of_synonyms():
    table = coverage_table(SAMPLE["synonyms_table"](), SAMPLE["tiers_table"]())
    assert table.header == [
        "tier",
        "codes",
        "0 synonyms",
        "1 synonyms",
        "2–4 synonyms",
        "5 or more synonyms",
    ]
    assert table.rows == [
        ["head", "1", "0", "0", "0", "1"],
        ["medium", "1", "0", "0", "1", "0"],
        ["tail", "2", "1", "1", "0", "0"],
        ["few-shot", "2", "2", "0", "0", "0"],
        ["zero-shot", "1", "1", "0", "0", "0"],
        ["all codes", "7", "4", "1", "1", "1"],
    ]


def test_sources_with_the_codes_that_only_they_reach():
    synonyms = SAMPLE["synonyms_table"]()
    outside = synonyms.head(1).with_columns(code=synonyms["code"].head(1) + "9")
    table = source_table(synonyms.vstack(outside), SAMPLE["tiers_table"]())
    assert table.rows == [
        ["short title", "6", "2", "1"],
        ["inclusion term", "2", "2", "1"],
    ]
