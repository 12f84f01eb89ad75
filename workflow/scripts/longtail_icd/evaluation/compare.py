"""Original against extended: the difference, its interval and what chance could have done."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation import bootstrap, metrics
from longtail_icd.evaluation.score import patient_index, tier_masks
from longtail_icd.evaluation.scores import Scores, gold_matrix


@dataclass(frozen=True)
class Run:
    """One run's decisions on the test split: boolean [N, L], with its scores' ids."""

    scores: Scores
    predicted: np.ndarray


def _check_same(runs: list[Run]) -> None:
    first = runs[0].scores
    for run in runs[1:]:
        if run.scores.note_ids != first.note_ids or run.scores.codes != first.codes:
            raise UserError(
                "runs to compare were scored on different notes or label lists; "
                "run `snakemake -R predict_codes`"
            )


def compare(
    baseline: list[Run],
    against: list[Run],
    labels: pl.DataFrame,
    notes: pl.DataFrame,
    tiers: pl.DataFrame,
    settings: dict[str, Any],
    names: dict[str, str],
) -> pl.DataFrame:
    """Return the table evaluation/comparisons for one pair of train sets and one model.

    Runs are paired by seed. In every bootstrap sample the same patients are drawn for all runs;
    the statistic is the mean over seeds of the pooled F1's difference, so the interval is
    conditional on the seeds.

    Args:
        baseline: one run per seed.
        against: one run per seed, in the same order.
        labels: gold labels of the test split.
        notes: its notes, for their patients.
        tiers: plan/tiers.
        settings: the evaluation block's ``bootstrap``.
        names: baseline, against, model.
    """
    _check_same([*baseline, *against])
    scores = baseline[0].scores
    gold, _ = gold_matrix(labels, scores)
    patient = patient_index(scores, notes)
    weights = bootstrap.patient_weights(patient.max() + 1, settings["samples"], settings["seed"])
    rows = []
    for tier, codes in tier_masks(scores, tiers).items():
        if not gold[:, codes].any():
            continue
        points, samples = [], []
        for runs in (baseline, against):
            counts = [
                bootstrap.counts_per_patient(gold, run.predicted, patient, codes) for run in runs
            ]
            points.append(np.mean([metrics.f1_from_counts(one.sum(axis=0)) for one in counts]))
            drawn = [bootstrap.pooled_f1_samples(one, weights) for one in counts]
            samples.append(np.mean(drawn, axis=0))
        difference = samples[1] - samples[0]
        low, high = bootstrap.percentile_interval(difference, settings["confidence"])
        rows.append(
            {
                **names,
                "tier": tier,
                "metric": "micro_f1",
                "baseline_value": float(points[0]),
                "against_value": float(points[1]),
                "delta": float(points[1] - points[0]),
                "ci_low": low,
                "ci_high": high,
                "p_value": bootstrap.two_sided_p(difference),
                "n_seeds": len(baseline),
            }
        )
    adjusted = bootstrap.holm([row["p_value"] for row in rows])
    complete = [row | {"p_adjusted": p} for row, p in zip(rows, adjusted, strict=True)]
    return pl.DataFrame(complete, schema=TABLES["evaluation/comparisons"].columns)
