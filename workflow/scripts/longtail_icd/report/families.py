"""Table: how often a code is missed and a sibling of its family predicted in its place."""

from collections.abc import Sequence

import polars as pl

from longtail_icd.report.glossary import ALL_CODES, TIERS, model_name
from longtail_icd.report.numbers import MISSING, count
from longtail_icd.report.tables import PageTable, tier_name


def family_confusion(codes: pl.DataFrame) -> pl.DataFrame:
    """Sum the labels of codes with siblings in the label space by tier, and over all tiers.

    Args:
        codes: table ``report/codes``.

    Returns:
        model, train_set, tier, labels, missed, mistaken; the last two are means over the seeds.
    """
    with_siblings = codes.filter(pl.len().over("model", "train_set", "family") > 1)
    sums = [pl.col("n_test").sum().alias("labels"), pl.col("missed", "mistaken").sum()]
    by_tier = with_siblings.group_by("model", "train_set", "tier").agg(sums)
    whole = with_siblings.group_by("model", "train_set").agg(pl.lit(ALL_CODES).alias("tier"), *sums)
    return pl.concat([by_tier, whole.select(by_tier.columns)])


def _cells(rows: pl.DataFrame, tier: str) -> list[str]:
    found = rows.filter(tier=tier)
    if found.is_empty():
        return [MISSING, MISSING]
    row = found.row(0, named=True)
    share = f" ({row['mistaken'] / row['missed']:.1%})" if row["missed"] else ""
    return [count(row["missed"]), count(row["mistaken"]) + share]


def family_table(codes: pl.DataFrame, model: str, train_sets: Sequence[str]) -> PageTable:
    """Missed labels of one model by tier, and those with a sibling in their place.

    Args:
        codes: table ``report/codes``.
        model: a key of the config's ``models``.
        train_sets: in the order of the columns.
    """
    rows = family_confusion(codes.filter(model=model))
    labels = dict(rows.filter(train_set=train_sets[0]).select("tier", "labels").iter_rows())
    measures = ("missed", "sibling instead")
    return PageTable(
        f"{model_name(model)}: missed labels of codes with siblings, by tier",
        ["tier", "labels", *(f"{one}: {what}" for one in train_sets for what in measures)],
        [
            [
                tier_name(tier),
                count(labels.get(tier)),
                *(cell for one in train_sets for cell in _cells(rows.filter(train_set=one), tier)),
            ]
            for tier in (ALL_CODES, *TIERS)
        ],
    )
