"""Code by code: how well it is found in the test split, and whether a sibling is taken for it."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation.gold import gold_labels
from longtail_icd.evaluation.scores import Scores


def describe_codes(
    codes: Sequence[str], tiers: pl.DataFrame, taxonomy: pl.DataFrame
) -> pl.DataFrame:
    """Return code, title, family, tier and n_train of each code, in their order.

    A family is a category of the classification, such as all of 250; a code that the taxonomy
    lacks is a family of its own, without a title.

    Args:
        codes: the label list of the scores.
        tiers: table ``plan/tiers``.
        taxonomy: table ``terminology/codes``.
    """
    known = tiers.join(taxonomy, on=["version", "code"], how="left", suffix="_of_node")
    family = pl.concat_str("version", pl.col("category").fill_null(pl.col("code")), separator=" ")
    return pl.DataFrame({"code": codes}, schema={"code": pl.String}).join(
        known.select("code", "title", "tier", "n_train", family=family),
        on="code",
        how="left",
        maintain_order="left",
    )


def mistaken(gold: np.ndarray, predicted: np.ndarray, family: np.ndarray) -> np.ndarray:
    """Return the missed labels in whose place the note got a sibling that it does not have.

    Before: gold 250.01, predicted 250.02 and 401.9. After: true at 250.01 only.

    Args:
        gold: boolean [N, L].
        predicted: boolean [N, L].
        family: int [L], equal for the codes of a family.

    Returns:
        Boolean [N, L], a part of ``gold & ~predicted``.
    """

    def places(cells: np.ndarray) -> np.ndarray:
        notes, codes = np.nonzero(cells)
        return notes * (family.max() + 1) + family[codes]

    missed = gold & ~predicted
    found = np.zeros_like(gold)
    found[missed] = np.isin(places(missed), places(predicted & ~gold))
    return found


def score_codes(
    scores: Scores,
    logit_threshold: float,
    labels: pl.DataFrame,
    described: pl.DataFrame,
    run: dict[str, str],
) -> pl.DataFrame:
    """Return one run's rows of the table ``report/codes``.

    Args:
        scores: logits of the test split.
        logit_threshold: a code is predicted when its logit reaches it.
        labels: its gold labels.
        described: :func:`describe_codes` of the scores' codes.
        run: model and train_set.
    """
    gold = gold_labels(labels, scores)[0].toarray()
    predicted = scores.logits >= logit_threshold
    hits, n_test = (gold & predicted).sum(axis=0), gold.sum(axis=0)
    family = described["family"].rank("dense").to_numpy() - 1
    return described.with_columns(
        **{name: pl.lit(value) for name, value in run.items()},
        n_test=pl.Series(n_test, dtype=pl.Int64),
        # 0/0, a code that is neither in gold nor predicted, counts 0.
        f1=pl.Series(2 * hits / np.maximum(n_test + predicted.sum(axis=0), 1)),
        missed=pl.Series(n_test - hits, dtype=pl.Float64),
        mistaken=pl.Series(mistaken(gold, predicted, family).sum(axis=0), dtype=pl.Float64),
    ).select(list(TABLES["report/codes"].columns))


def average_seeds(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of all runs with f1, missed and mistaken as means over the seeds."""
    means = ["f1", "missed", "mistaken"]
    keys = [name for name in rows.columns if name not in means]
    return rows.group_by(keys, maintain_order=True).agg(pl.col(means).mean())
