"""The answer first: what the synthetic notes did, in sentences that follow from the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.report.glossary import ALL_CODES, POOLED_F1, PRIMARY_TIER, TIERS, model_name
from longtail_icd.report.numbers import (
    excludes_zero,
    interval,
    is_missing,
    points,
    signed_points,
)


@dataclass(frozen=True)
class Answer:
    """One model's answer to one comparison.

    Attributes:
        model: as the field writes it.
        headline: the primary endpoint's difference with its interval; a dash without one.
        verdict: better, worse or open.
        sentences: primary endpoint, micro-F1 over all codes, what the interval covers.
    """

    model: str
    headline: str
    verdict: str
    sentences: list[str]


def rows_of(comparisons: pl.DataFrame, pair: dict[str, str], model: str) -> pl.DataFrame:
    """Return the rows of one comparison and model.

    Raises:
        UserError: the table has none, so it was made for another configuration.
    """
    rows = comparisons.filter(
        (pl.col("baseline") == pair["baseline"])
        & (pl.col("against") == pair["against"])
        & (pl.col("model") == model)
    )
    if rows.is_empty():
        raise UserError(
            f"table evaluation/comparisons: no rows for baseline {pair['baseline']}, against "
            f"{pair['against']}, model {model}; run `snakemake -R compare_runs`"
        )
    return rows


def pooled(rows: pl.DataFrame, tier: str) -> dict[str, Any]:
    """Return the row of pooled F1 in a tier; without values where the test split has none."""
    found = rows.filter(tier=tier, metric=POOLED_F1)
    return found.row(0, named=True) if found.height else dict.fromkeys(rows.columns)


def difference(row: dict[str, Any]) -> str:
    """Write a difference with its interval. After: ``+4.2 [+1.1, +7.5]``; a dash for none."""
    span = interval(row["ci_low"], row["ci_high"], signed=True)
    return f"{signed_points(row['delta'])} {span}".strip()


def _movement(row: dict[str, Any]) -> str:
    """Say how a score moves. After: ``rises by 4.2 points, from 20.0 to 24.2``."""
    before, after = points(row["baseline_value"]), points(row["against_value"])
    if row["delta"] == 0:
        return f"stays at {before}"
    size = points(abs(row["delta"]))
    by = "less than 0.1" if size == points(0.0) else size
    return f"{'rises' if row['delta'] > 0 else 'falls'} by {by} points, from {before} to {after}"


def _sentence(what: str, row: dict[str, Any], confidence: float) -> str:
    """Say in one sentence how far a score moves and whether its interval excludes zero."""
    excluded = excludes_zero(row["ci_low"], row["ci_high"])
    moved = f"{what} {_movement(row)}"
    if excluded is None:
        return f"{moved}; no interval could be computed."
    return (
        f"{moved}. The {confidence:.0%} interval of the difference, "
        f"{interval(row['ci_low'], row['ci_high'], signed=True)}, "
        f"{'excludes' if excluded else 'includes'} 0."
    )


def _about_seeds(n_seeds: int, drawn: bool) -> str:
    """Say what the intervals cover; ``drawn``: training seeds were resampled, too."""
    if drawn:
        return (
            f"These are means over {n_seeds} training seeds; the interval covers the draw of the "
            "test patients and the chance of training."
        )
    means = "This is one training seed" if n_seeds == 1 else f"Means over {n_seeds} training seeds"
    return (
        f"{means}; the interval is conditional on the seeds: it covers the draw of the test "
        "patients and not the chance of training."
    )


def _verdict(row: dict[str, Any]) -> str:
    if not excludes_zero(row["ci_low"], row["ci_high"]):
        return "open"
    return "better" if row["ci_low"] > 0 else "worse"


def answer(
    comparisons: pl.DataFrame, pair: dict[str, str], model: str, confidence: float
) -> Answer:
    """Say what one comparison found for one model.

    Args:
        comparisons: table ``evaluation/comparisons``.
        pair: the train sets' names under ``baseline`` and ``against``.
        model: a key of the config's ``models``.
        confidence: of the intervals, for example 0.95.

    Raises:
        UserError: the table has no rows for this comparison and model.
    """
    rows = rows_of(comparisons, pair, model)
    primary, overall = pooled(rows, PRIMARY_TIER), pooled(rows, ALL_CODES)
    name = TIERS[PRIMARY_TIER]
    sentences = []
    if is_missing(primary["delta"]):
        sentences.append(f"The test split has no label of a {name} code, so there is no answer.")
    else:
        sentences.append(_sentence(f"Pooled F1 over {name} codes", primary, confidence))
    if not is_missing(overall["delta"]):
        sentences.append(_sentence("Micro-F1 over all codes", overall, confidence))
    drawn = (rows["ci_seeds"] == "drawn").all()
    sentences.append(_about_seeds(int(rows["n_seeds"].min()), drawn))
    return Answer(model_name(model), difference(primary), _verdict(primary), sentences)


def answers(
    comparisons: pl.DataFrame,
    pairs: Sequence[dict[str, str]],
    models: Sequence[str],
    confidence: float,
) -> list[dict[str, Any]]:
    """Return each comparison's pair with the answers of all models, for the page."""
    return [
        {
            "baseline": pair["baseline"],
            "against": pair["against"],
            "models": [answer(comparisons, pair, model, confidence) for model in models],
        }
        for pair in pairs
    ]
