"""What every train set reaches, in one table: its seeds' means, or all seeds together."""

from collections.abc import Sequence

import polars as pl

from longtail_icd.report.glossary import (
    ALL_CODES,
    METRICS,
    POOLED_F1,
    PRIMARY_TIER,
    metric_label,
    model_name,
)
from longtail_icd.report.numbers import MISSING, interval, points
from longtail_icd.report.tables import PageTable, tier_name

_MACRO_F1 = [metric for metric in METRICS if metric.startswith("macro_f1")]
_SHOWN = [
    (POOLED_F1, PRIMARY_TIER),
    (POOLED_F1, "zero_shot"),
    *((metric, ALL_CODES) for metric in (POOLED_F1, "map", *_MACRO_F1)),
]


def average_table(
    averages: pl.DataFrame, model: str, train_sets: Sequence[str], what: str = "means over seeds"
) -> PageTable:
    """One model's train sets, a row each, in the configuration's order.

    Args:
        averages: table ``evaluation/averages`` or ``evaluation/ensembles``.
        model: a key of the config's ``models``.
        train_sets: the configuration's.
        what: says what the figures are of.
    """
    cells = {
        (row["train_set"], row["metric"], row["tier"]): (
            f"{points(row['value'])} {interval(row['ci_low'], row['ci_high'])}".strip()
        )
        for row in averages.filter(model=model).iter_rows(named=True)
    }
    return PageTable(
        f"{model_name(model)}: {what} in points, with intervals",
        [
            "train set",
            *(f"{metric_label(metric, tier)}, {tier_name(tier)}" for metric, tier in _SHOWN),
        ],
        [[one, *(cells.get((one, *shown), MISSING) for shown in _SHOWN)] for one in train_sets],
    )
