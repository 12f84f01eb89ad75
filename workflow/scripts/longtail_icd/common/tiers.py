"""The tiers of codes, by train frequency alone."""

from collections.abc import Mapping

import polars as pl

TIERS = ("head", "medium", "tail", "few_shot", "zero_shot")


def tier_of(n_train: pl.Expr, edges: Mapping[str, int]) -> pl.Expr:
    """Return the tier of a code that ``n_train`` train notes carry.

    With the paper's edges (1000, 100, 10): 1000, 999, 99, 9 and 0 notes are head, medium, tail,
    few_shot and zero_shot.

    Args:
        n_train: number of train notes; not null.
        edges: the least train frequency of ``head``, ``medium`` and ``tail``.
    """
    return (
        pl.when(n_train >= edges["head"])
        .then(pl.lit("head"))
        .when(n_train >= edges["medium"])
        .then(pl.lit("medium"))
        .when(n_train >= edges["tail"])
        .then(pl.lit("tail"))
        .when(n_train >= 1)
        .then(pl.lit("few_shot"))
        .otherwise(pl.lit("zero_shot"))
    )
