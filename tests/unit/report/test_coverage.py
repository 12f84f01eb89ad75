"""The page counts how many synonyms each tier's codes have, and where they come from."""

from longtail_icd.report.coverage import coverage_table, source_table
from report_tables import synonyms_table, tiers_table


def test_codes_by_number_of_synonyms():
    table = coverage_table(synonyms_table(), tiers_table())
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
    synonyms = synonyms_table()
    outside = synonyms.head(1).with_columns(code=synonyms["code"].head(1) + "9")
    table = source_table(synonyms.vstack(outside), tiers_table())
    assert table.rows == [
        ["short title", "6", "2", "1"],
        ["inclusion term", "2", "2", "1"],
    ]
