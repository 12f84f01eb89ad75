"""All comparisons of a model in one table: the question beside its controls."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from longtail_icd.report.answer import difference, pooled, rows_of
from longtail_icd.report.controls import missing_controls, role_of
from longtail_icd.report.glossary import ALL_CODES, PRIMARY_TIER, model_name
from longtail_icd.report.numbers import MISSING, count, p_value
from longtail_icd.report.tables import PageTable, tier_name

_SHOWN = (PRIMARY_TIER, "zero_shot", ALL_CODES)


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
