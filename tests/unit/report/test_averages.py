"""The table of train sets: a row each, its figures in points with their intervals."""

from longtail_icd.report.averages import average_table
from report_tables import averages_table

NAMES = ("original", "extended")


def test_a_row_holds_each_score_with_its_interval_and_a_dash_for_none():
    table = average_table(averages_table(NAMES, 2), "plm_icd", NAMES)
    score, dash = "30.0 [15.0, 45.0]", "–"
    assert table.rows[1] == ["extended", score, dash, score, dash, dash, score, dash]
    assert [row[0] for row in table.rows] == list(NAMES)
    assert table.header[:4] == [
        "train set",
        "pooled F1, few-shot",
        "pooled F1, zero-shot",
        "micro-F1, all codes",
    ]
    assert table.header[4] == "MAP, all codes" and len(table.header) == 8
