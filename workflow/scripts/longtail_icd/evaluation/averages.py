"""What a train set reaches: its metrics as means over training seeds, with their intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation.compare import Run, check_comparable, seed_draws, seeds_taken
from longtail_icd.evaluation.intervals import interval, mean_over_seeds


def average(
    runs: Sequence[Run], options: Mapping[str, Any], names: Mapping[str, str]
) -> pl.DataFrame:
    """Return the table evaluation/averages for one train set and one model.

    The intervals are those of `evaluation/comparisons`, of values in place of differences. A tier
    without a gold label has no row.

    Args:
        runs: one per seed.
        options: the evaluation block's ``bootstrap``.
        names: model, train_set.

    Raises:
        UserError: the runs were not scored on the same codes, notes and gold labels.
    """
    check_comparable(runs)
    draws = seed_draws(len(runs), options["samples"], options["seed"])
    support = runs[0].gold.support()
    rows = []
    for tier, metric in runs[0].statistics:
        if not support[tier]:
            continue
        mean = mean_over_seeds([run.statistics[tier, metric] for run in runs], draws)
        found = interval(mean, options["confidence"])
        rows.append(
            {
                **names,
                "tier": tier,
                "metric": metric,
                "value": mean.value,
                "ci_low": found.low,
                "ci_high": found.high,
                "ci_method": found.method,
                "n_seeds": len(runs),
                "ci_seeds": seeds_taken(draws),
                "support": support[tier],
            }
        )
    return pl.DataFrame(rows, schema=TABLES["evaluation/averages"].columns)
