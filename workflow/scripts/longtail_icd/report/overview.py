"""All comparisons of a model in one table: the question beside its controls."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from longtail_icd.report.answer import rows_of
from longtail_icd.report.controls import missing_controls, role_of
from longtail_icd.report.glossary import ALL_CODES, POOLED_F1, PRIMARY_TIER, model_name
from longtail_icd.report.numbers import MISSING, count, interval, p_value, signed_points
from longtail_icd.report.tables import PageTable, tier_name

_SHOWN = (PRIMARY_TIER, "zero_shot", ALL_CODES)


def pooled(rows: pl.DataFrame, tier: str) -> dict[str, Any]:
    """Return the row of pooled F1 in a tier; without values where the test split has none."""
    found = rows.filter(tier=tier, metric=POOLED_F1)
    return found.row(0, named=True) if found.height else dict.fromkeys(rows.columns)


def difference(row: dict[str, Any]) -> str:
    """Write a difference with its interval. After: ``+4.2 [+1.1, +7.5]``; a dash for none."""
    span = interval(row["ci_low"], row["ci_high"], signed=True)
    return f"{signed_points(row['delta'])} {span}".strip()


def overview_table(
    comparisons: pl.DataFrame,
    pairs: Sequence[dict[str, str]],
    model: str,
    settings: dict[str, Any],
) -> PageTable:
    """One model's comparisons, a row each, in the configuration's order; then controls not run.

    Args:
        comparisons: table ``evaluation/comparisons``.
        pairs: the train sets' names under ``baseline`` and ``against``.
        model: a key of the config's ``models``.
        settings: the blocks of the configuration that the run used.

    Raises:
        UserError: the table has no rows for a comparison.
    """
    rows = []
    for pair in pairs:
        own = rows_of(comparisons, pair, model)
        cells = [pooled(own, tier) for tier in _SHOWN]
        rows.append(
            [
                f"{pair['against']} − {pair['baseline']}",
                role_of(pair, settings),
                *(difference(cell) for cell in cells),
                p_value(cells[0]["p_adjusted"]),
                count(own["n_seeds"].min()),
            ]
        )
    for name, _ in missing_controls(settings):
        rows.append([name, "not run", *[MISSING] * (len(_SHOWN) + 2)])
    return PageTable(
        f"{model_name(model)}: differences of pooled F1 in points, with intervals",
        ["comparison", "role", *map(tier_name, _SHOWN), "p, few-shot", "seeds"],
        rows,
    )
