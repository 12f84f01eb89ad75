"""The metrics of one run as statistics: with what their intervals are made from."""

from collections.abc import Mapping

import numpy as np

from longtail_icd.evaluation.evaluate import ALL, mean_of_defined
from longtail_icd.evaluation.intervals import Statistic
from longtail_icd.evaluation.metrics import code_terms, macro_metrics, micro_metrics, ratio
from longtail_icd.evaluation.resampling import (
    PatientCounts,
    code_sums_without,
    drawn_code_sums,
)


def _pooled(per_patient: np.ndarray, weights: np.ndarray) -> dict[str, Statistic]:
    """Micro metrics of [patients, 3] counts."""
    values = micro_metrics(per_patient.sum(axis=0))
    samples = micro_metrics(weights @ per_patient)
    return {metric: Statistic(float(values[metric]), samples[metric]) for metric in values}


def _macro(counts: np.ndarray, drawn: np.ndarray, without: np.ndarray) -> dict[str, Statistic]:
    """Macro metrics of [L, 3] counts and of summed terms: [4, samples] and [4, patients]."""
    sums = (code_terms(counts).sum(axis=1), drawn, without)
    values, samples, left_out = (macro_metrics(one, len(counts)) for one in sums)
    return {
        metric: Statistic(float(values[metric]), samples[metric], left_out[metric])
        for metric in values
    }


def _document_mean(values: np.ndarray, patient: np.ndarray, weights: np.ndarray) -> Statistic:
    """Return the mean over documents whose value is a number: [N]."""
    defined = ~np.isnan(values)
    patients = weights.shape[1]
    sums = np.bincount(patient[defined], weights=values[defined], minlength=patients)
    sizes = np.bincount(patient[defined], minlength=patients)
    return Statistic(mean_of_defined(values), ratio(weights @ sums, weights @ sizes))


def run_statistics(
    counts: PatientCounts,
    documents: Mapping[str, Mapping[str, np.ndarray]],
    patient: np.ndarray,
    masks: Mapping[str, np.ndarray],
    weights: np.ndarray,
) -> dict[tuple[str, str], Statistic]:
    """Return the statistics by group and metric: micro, macro and of documents.

    Labels outside the label space are misses of the micro metrics of group ``all``.

    Args:
        counts: the run's, by patient and code.
        documents: its document values by group and metric; see document_values.
        patient: each note's patient, as an index [N].
        masks: the groups of codes, [L] each.
        weights: bootstrap draws [samples, patients].
    """
    weights = weights.astype(float)
    drawn, without = drawn_code_sums(counts, masks, weights), code_sums_without(counts, masks)
    totals = counts.per_code()
    found: dict[tuple[str, str], Statistic] = {}
    for group, codes in masks.items():
        per_patient = counts.per_patient(codes)
        if group == ALL:
            per_patient[:, 2] += counts.outside
        one = _pooled(per_patient, weights)
        one |= _macro(totals[codes], drawn[group], without[group])
        one |= {
            metric: _document_mean(values, patient, weights)
            for metric, values in documents[group].items()
        }
        found |= {(group, metric): statistic for metric, statistic in one.items()}
    return found
