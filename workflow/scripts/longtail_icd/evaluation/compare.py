"""Original against extended: the difference, its interval and what chance could have done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.common.tiers import TIERS
from longtail_icd.evaluation.changes import codes_given
from longtail_icd.evaluation.evaluate import document_values
from longtail_icd.evaluation.gold import GoldStandard
from longtail_icd.evaluation.intervals import (
    JACKKNIFE,
    Statistic,
    cohens_h,
    holm,
    interval,
    mean_over_seeds,
    p_value,
    smallest_detectable,
)
from longtail_icd.evaluation.metrics import decide
from longtail_icd.evaluation.resampling import count_by_patient, patient_weights
from longtail_icd.evaluation.run_statistics import run_statistics
from longtail_icd.evaluation.scores import Scores

PRIMARY = ("few_shot", "micro_f1")
COMPARED = (
    "micro_f1",
    "macro_f1_all_codes",
    "macro_f1_harmonic",
    "macro_f1_test_codes",
    "precision_at_",
    "recall_at_",
    "map",
)
SEEDS_DRAWN_FROM = 5  # training seeds; of fewer a draw says too little


@dataclass(frozen=True)
class Run:
    """One run's decisions and rankings on a split.

    Attributes:
        name: model/train_set/seedN.
        gold: what it is judged by, aligned to its scores.
        given: the codes that it gave, see :func:`~longtail_icd.evaluation.changes.codes_given`.
        statistics: by tier and metric.
    """

    name: str
    gold: GoldStandard
    given: pl.DataFrame
    statistics: dict[tuple[str, str], Statistic]


def read_run(
    name: str,
    scores: Scores,
    logit_threshold: float,
    gold: GoldStandard,
    weights: np.ndarray,
    cuts: Sequence[int],
) -> Run:
    """Return what a run's comparisons are made from.

    Args:
        name: model/train_set/seedN.
        scores: its logits.
        logit_threshold: its one global threshold.
        gold: the split's, aligned to its scores.
        weights: bootstrap draws [samples, patients], the same for all runs.
        cuts: the k of precision and recall at k.
    """
    predicted = decide(scores.logits, logit_threshold)
    counts = count_by_patient(gold.labels, predicted, gold.patient, gold.outside)
    documents = document_values(scores.logits, gold.labels, gold.tier, TIERS, cuts)
    statistics = run_statistics(counts, documents, gold.patient, gold.masks(), weights)
    kept = {key: one for key, one in statistics.items() if key[1].startswith(COMPARED)}
    return Run(name, gold, codes_given(scores, predicted), kept)


def check_as_scored(name: str, metrics: pl.DataFrame, gold: GoldStandard) -> None:
    """Refuse a run whose metrics were made with another label list or other gold labels.

    Raises:
        UserError: names the run and what has changed since.
    """
    for column, what in (("label_list", "label list"), ("test_set", "test set")):
        if metrics[column].unique().to_list() != [getattr(gold, column)]:
            raise UserError(
                f"{name}: its metrics are of another {what} than its scores and labels are now; "
                "run `snakemake -R score_predictions`"
            )


def check_comparable(runs: Sequence[Run]) -> None:
    """Refuse to compare runs that were not scored on the same codes, notes and gold labels.

    Raises:
        UserError: names two runs and what differs.
    """
    first = runs[0]
    for run in runs[1:]:
        if run.gold.label_list != first.gold.label_list:
            raise UserError(
                f"{first.name} and {run.name} predict different label lists, so their scores "
                "cannot be compared; train both on one label space"
            )
        if run.gold.test_set != first.gold.test_set:
            raise UserError(
                f"{first.name} and {run.name} were scored on different notes, patients or gold "
                "labels, so their scores cannot be compared; run `snakemake -R predict_codes`"
            )


def seed_draws(seeds: int, samples: int, seed: int) -> np.ndarray | None:
    """Return how often each bootstrap sample draws each training seed, [samples, seeds].

    None with fewer than SEEDS_DRAWN_FROM seeds: then they are taken as they are. The patients are
    drawn with ``seed``, the training seeds with the next, so that the two are independent.
    """
    return patient_weights(seeds, samples, seed + 1) if seeds >= SEEDS_DRAWN_FROM else None


def seeds_taken(draws: np.ndarray | None) -> str:
    """Return how an interval takes the training seeds: ``drawn``, or ``conditional`` on them."""
    return "conditional" if draws is None else "drawn"


def _row(sides: tuple[Statistic, Statistic], difference: Statistic, confidence: float) -> dict:
    """Return the columns of one difference."""
    found = interval(difference, confidence)
    naive = found.method == JACKKNIFE
    return {
        "baseline_value": sides[0].value,
        "against_value": sides[1].value,
        "delta": difference.value,
        "ci_low": found.low,
        "ci_high": found.high,
        "ci_method": found.method,
        "ci_naive_low": found.naive_low if naive else None,
        "ci_naive_high": found.naive_high if naive else None,
        "p_value": p_value(difference),
        "effect_size": cohens_h(sides[0].value, sides[1].value),
        "smallest_detectable": smallest_detectable(difference, confidence),
    }


def compare(
    baseline: Sequence[Run],
    against: Sequence[Run],
    options: Mapping[str, Any],
    names: Mapping[str, str],
) -> pl.DataFrame:
    """Return the table evaluation/comparisons for one pair of train sets and one model.

    Runs are paired by seed, and every sample draws the same patients for all runs. The statistic
    is the mean over seeds of the metric's difference. From SEEDS_DRAWN_FROM seeds on they are
    drawn, too; with fewer the interval is conditional on them. p-values are adjusted over the
    tiers of each metric. A tier without a gold label has no row.

    Args:
        baseline: one run per seed.
        against: one run per seed, in the same order.
        options: the evaluation block's ``bootstrap``.
        names: baseline, against, model.

    Raises:
        UserError: the runs cannot be compared.
    """
    check_comparable([*baseline, *against])
    gold, seeds = baseline[0].gold, len(baseline)
    draws = seed_draws(seeds, options["samples"], options["seed"])
    support = gold.support()
    patients = int(gold.patient.max()) + 1
    rows = []
    for tier, metric in baseline[0].statistics:
        if not support[tier]:
            continue
        runs = [[run.statistics[tier, metric] for run in side] for side in (baseline, against)]
        pairs = [after.minus(before) for before, after in zip(*runs, strict=True)]
        sides = tuple(mean_over_seeds(side, None) for side in runs)
        rows.append(
            {
                **names,
                "tier": tier,
                "metric": metric,
                **_row(sides, mean_over_seeds(pairs, draws), options["confidence"]),
                "n_seeds": seeds,
                "ci_seeds": seeds_taken(draws),
                "support": support[tier],
                "n_patients": patients,
                "primary": (tier, metric) == PRIMARY,
            }
        )
    for metric in {row["metric"] for row in rows}:
        of_metric = [row for row in rows if row["metric"] == metric]
        adjusted = holm([row["p_value"] for row in of_metric])
        for row, value in zip(of_metric, adjusted, strict=True):
            row["p_adjusted"] = value
    return pl.DataFrame(rows, schema=TABLES["evaluation/comparisons"].columns)
