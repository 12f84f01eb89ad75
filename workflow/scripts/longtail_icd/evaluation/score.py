"""One run's test scores to the rows of the metrics table."""

from typing import Any

import numpy as np
import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation import bootstrap, metrics
from longtail_icd.evaluation.scores import Scores, gold_matrix

TIERS = ("head", "medium", "tail", "few_shot", "zero_shot")


def tier_masks(scores: Scores, tiers: pl.DataFrame) -> dict[str, np.ndarray]:
    """Return which codes (columns of the scores) belong to each tier, and to ``all``."""
    tier_of = dict(tiers.select("code", "tier").iter_rows())
    names = np.array([tier_of[code] for code in scores.codes])
    return {"all": np.ones(len(names), dtype=bool), **{tier: names == tier for tier in TIERS}}


def patient_index(scores: Scores, notes: pl.DataFrame) -> np.ndarray:
    """Return each scored note's patient as an index; patients in sorted order."""
    patient_of = dict(notes.select("note_id", "patient_id").iter_rows())
    patients = [patient_of[note] for note in scores.note_ids]
    _, index = np.unique(patients, return_inverse=True)
    return index


def score_run(
    scores: Scores,
    labels: pl.DataFrame,
    notes: pl.DataFrame,
    tiers: pl.DataFrame,
    logit_threshold: float,
    settings: dict[str, Any],
    run: dict[str, Any],
) -> pl.DataFrame:
    """Return the table evaluation/metrics of one run on one split.

    Args:
        scores: logits with ids.
        labels: gold labels (corpus/labels).
        notes: the split's notes, for their patients.
        tiers: plan/tiers.
        logit_threshold: a code is predicted when its logit reaches it.
        settings: the evaluation block of the configuration.
        run: corpus, model, train_set, seed, split, threshold_kind.
    """
    gold, outside = gold_matrix(labels, scores)
    predicted = scores.logits >= logit_threshold
    patient = patient_index(scores, notes)
    options = settings["bootstrap"]
    weights = bootstrap.patient_weights(patient.max() + 1, options["samples"], options["seed"])
    rows: list[dict[str, Any]] = []
    for tier, codes in tier_masks(scores, tiers).items():
        if not codes.any():
            continue
        misses = outside if tier == "all" else 0
        counts = metrics.counts_per_code(gold[:, codes], predicted[:, codes])
        values = metrics.decision_metrics(counts, misses)
        values |= metrics.ranking_metrics(
            scores.logits[:, codes], gold[:, codes], settings["precision_at"]
        )
        if tier == "all":
            values["exact_match"] = metrics.exact_match(gold, predicted)
            values["labels_outside_label_space"] = float(outside)
        pooled = bootstrap.counts_per_patient(gold, predicted, patient, codes)
        samples = bootstrap.pooled_f1_samples(pooled, weights)
        low, high = bootstrap.percentile_interval(samples, options["confidence"])
        for metric, value in values.items():
            interval = metric == "micro_f1" and misses == 0
            rows.append(
                {
                    **run,
                    "tier": tier,
                    "metric": metric,
                    "value": None if np.isnan(value) else value,
                    "support": int(gold[:, codes].sum()),
                    "ci_low": low if interval else None,
                    "ci_high": high if interval else None,
                    "ci_method": "patient bootstrap, percentile" if interval else None,
                }
            )
    return pl.DataFrame(rows, schema=TABLES["evaluation/metrics"].columns)
