"""One run's test scores to the tables of metrics, of groups of codes and of single codes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation.calibration import calibration_error_per_code
from longtail_icd.evaluation.evaluate import ALL, Evaluation
from longtail_icd.evaluation.gold import GoldStandard
from longtail_icd.evaluation.intervals import JACKKNIFE, Statistic, interval
from longtail_icd.evaluation.metrics import (
    code_terms,
    counts_per_code,
    decide,
    decision_metrics,
)
from longtail_icd.evaluation.resampling import count_by_patient, patient_weights
from longtail_icd.evaluation.run_statistics import run_statistics

OUTSIDE = "labels_outside_label_space"
ORACLE = "oracle"
FAMILIES = ("bin", "kind", "chapter")


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _interval_columns(statistic: Statistic | None, confidence: float) -> dict[str, Any]:
    """Return the interval's columns; bounds of a metric lie in [0, 1]."""
    if statistic is None:
        return {}
    found = interval(statistic, confidence)
    columns = {
        "ci_low": max(found.low, 0.0),
        "ci_high": min(found.high, 1.0),
        "ci_method": found.method,
    }
    if found.method == JACKKNIFE:
        columns |= {"ci_naive_low": found.naive_low, "ci_naive_high": found.naive_high}
    return columns


def metrics_table(
    evaluation: Evaluation, gold: GoldStandard, options: Mapping[str, Any], run: Mapping[str, Any]
) -> pl.DataFrame:
    """Return the table evaluation/metrics of one run: all codes and each tier.

    Args:
        evaluation: of the run.
        gold: the split's.
        options: the evaluation block's ``bootstrap``.
        run: corpus, model, train_set, seed, split, threshold_kind.
    """
    masks = gold.masks()
    counts = count_by_patient(gold.labels, evaluation.predicted, gold.patient, gold.outside)
    weights = patient_weights(len(counts.outside), options["samples"], options["seed"])
    statistics = run_statistics(counts, evaluation.documents, gold.patient, masks, weights)
    rows = []
    values = evaluation.values | {
        ALL: evaluation.values[ALL] | {OUTSIDE: float(gold.outside.sum())}
    }
    for tier, support in gold.support().items():
        for metric, value in values[tier].items():
            statistic = statistics.get((tier, metric)) if support else None
            rows.append(
                {
                    **run,
                    "tier": tier,
                    "metric": metric,
                    "value": _number(value),
                    "support": support,
                    "label_list": gold.label_list,
                    "test_set": gold.test_set,
                    **_interval_columns(statistic, options["confidence"]),
                }
            )
    return pl.DataFrame(rows, schema=TABLES["evaluation/metrics"].columns)


def threshold_alternatives(
    thresholds: pl.DataFrame, codes: list[str], evaluation: Evaluation, oracle: bool
) -> dict[str, np.ndarray | float]:
    """Return the thresholds that a run is also scored at, by kind.

    Args:
        thresholds: evaluation/thresholds of the run, tuned on dev.
        codes: the run's label list.
        evaluation: of the run.
        oracle: whether to add the best global cut on the scored split itself, which no honest
            number comes from.

    Raises:
        UserError: the thresholds are of other codes.
    """
    if thresholds["code"].to_list() != codes:
        raise UserError("thresholds are of other codes; run `snakemake -R tune_threshold`")
    found = {kind: thresholds[kind].to_numpy() for kind in ("per_tier", "per_code")}
    if oracle and len(evaluation.pooled.values):
        found[ORACLE] = evaluation.pooled.best_cut()[0]
    return found


def breakdown_table(
    evaluation: Evaluation,
    gold: GoldStandard,
    logits: np.ndarray,
    groups: pl.DataFrame,
    alternatives: Mapping[str, float | np.ndarray],
    run: Mapping[str, Any],
) -> pl.DataFrame:
    """Return the table evaluation/breakdown of one run.

    Each family of groups at the run's own threshold, and the tiers at the alternatives to it.

    Args:
        evaluation: of the run.
        gold: the split's.
        logits: [N, L].
        groups: each code's group by family; see code_groups.
        alternatives: thresholds by kind, one or one per code [L].
        run: corpus, model, train_set, seed, split, threshold_kind.
    """
    labels = gold.labels_per_code()
    rows: list[dict[str, Any]] = []

    def add(kind: str, family: str, group: str, codes: np.ndarray, values: dict[str, float]):
        rows.extend(
            {
                **run,
                "threshold_kind": kind,
                "family": family,
                "group": group,
                "metric": metric,
                "value": _number(value),
                "codes": int(codes.sum()),
                "support": int(labels[codes].sum()),
            }
            for metric, value in values.items()
        )

    for family in FAMILIES:
        column = groups[family]
        for group in column.unique(maintain_order=True).drop_nulls():
            codes = (column == group).fill_null(False).to_numpy()
            add(run["threshold_kind"], family, group, codes, evaluation.of_codes(codes))
    for kind, threshold in alternatives.items():
        counts = counts_per_code(gold.labels, decide(logits, threshold))
        for tier, codes in gold.masks().items():
            outside = int(gold.outside.sum()) if tier == ALL else 0
            add(kind, "tier", tier, codes, decision_metrics(counts[codes], outside))
    return pl.DataFrame(rows, schema=TABLES["evaluation/breakdown"].columns)


def codes_table(evaluation: Evaluation, codes: list[str], tiers: pl.DataFrame) -> pl.DataFrame:
    """Return the table evaluation/codes of one run: each code in label order.

    Args:
        evaluation: of the run.
        codes: the label list.
        tiers: plan/tiers.
    """
    hits, false, missed = evaluation.counts.T
    precision, recall, f1, _ = code_terms(evaluation.counts)
    known = tiers.select("version", "code", "kind", "n_train", "tier")
    return (
        pl.DataFrame(
            {
                "code": codes,
                "support": hits + missed,
                "predicted": hits + false,
                "hits": hits,
                "precision": precision,
                "recall": recall,
                "f1": f1,
                "auc": evaluation.auc,
                "average_precision": evaluation.average_precision,
                "expected": evaluation.reliability.expected.sum(axis=1),
                "ece": calibration_error_per_code(evaluation.reliability),
            }
        )
        .with_columns(pl.col("auc", "average_precision").fill_nan(None))
        .join(known, on="code", how="left", maintain_order="left")
        .select(
            pl.col(name).cast(kind) for name, kind in TABLES["evaluation/codes"].columns.items()
        )
    )
