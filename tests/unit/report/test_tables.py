"""The tables of comparisons: every metric that the evaluation compares, pooled F1 first."""

import polars as pl
from longtail_icd.report.tables import comparison_table
from report_tables import comparisons_table


def test_more_metrics_come_after_pooled_f1_whatever_the_order_of_rows():
    pooled = comparisons_table(("original", "extended"), 1)
    more = pooled.filter(tier="all").with_columns(metric=pl.lit("precision_at_8"))
    pair = {"baseline": "original", "against": "extended"}
    table = comparison_table(pl.concat([more, pooled]).reverse(), pair, "gki_icd", 0.95)
    names = [row[0] for row in table.rows]
    assert names[:2] == ["micro-F1, all codes", "pooled F1, head"]
    assert names[-1] == "P@8, all codes"
    assert len(names) == 7
