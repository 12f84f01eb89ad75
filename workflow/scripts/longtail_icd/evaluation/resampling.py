"""What a test set of other patients might have shown: bootstrap and jackknife by patient.

A patient's notes stay together: they are drawn, or left out, as one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from longtail_icd.evaluation.metrics import code_terms, document_of

_SAMPLES_AT_ONCE = 100  # a dense [samples, codes] array per count and term


def patient_weights(patients: int, samples: int, seed: int) -> np.ndarray:
    """Return how often each patient is drawn in each bootstrap sample: [samples, patients]."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(patients, np.full(patients, 1 / patients), size=samples)


@dataclass(frozen=True)
class PatientCounts:
    """TP, FP and FN of each patient and code, where any is not 0.

    Attributes:
        patient: which patient [entries].
        code: which code [entries].
        counts: [entries, 3].
        outside: gold labels outside the label space, of each patient [patients].
        codes: L.
    """

    patient: np.ndarray
    code: np.ndarray
    counts: np.ndarray
    outside: np.ndarray
    codes: int

    def per_code(self) -> np.ndarray:
        """Return TP, FP and FN of each code: [L, 3]."""
        return self._summed(self.code, slice(None), self.codes)

    def per_patient(self, codes: np.ndarray) -> np.ndarray:
        """Return TP, FP and FN of each patient over some codes, a mask [L]: [patients, 3]."""
        chosen = codes[self.code]
        return self._summed(self.patient[chosen], chosen, len(self.outside))

    def _summed(self, place: np.ndarray, chosen: np.ndarray | slice, size: int) -> np.ndarray:
        summed = [np.bincount(place, one, size) for one in self.counts[chosen].T]
        return np.stack(summed, axis=1)


def count_by_patient(
    gold: csr_array, predicted: csr_array, patient: np.ndarray, outside: np.ndarray
) -> PatientCounts:
    """Count TP, FP and FN by patient and code.

    Args:
        gold: [N, L].
        predicted: [N, L].
        patient: each note's patient, as an index [N].
        outside: each note's gold labels outside the label space [N].
    """
    codes = gold.shape[1]
    keys = [
        patient[document_of(labels)].astype(np.int64) * codes + labels.indices
        for labels in (gold.multiply(predicted).tocsr(), predicted, gold)
    ]
    entries, place = np.unique(np.concatenate(keys), return_inverse=True)
    hits, said, truth = (
        np.bincount(one, minlength=len(entries))
        for one in np.split(place, np.cumsum([len(one) for one in keys])[:-1])
    )
    return PatientCounts(
        *np.divmod(entries, codes),
        np.stack([hits, said - hits, truth - hits], axis=1),
        np.bincount(patient, weights=outside),
        codes,
    )


def drawn_code_sums(
    counts: PatientCounts, masks: Mapping[str, np.ndarray], weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the summed terms of macro metrics (see code_terms) in each bootstrap sample.

    Args:
        counts: of a run.
        masks: groups of codes [L].
        weights: [samples, patients].

    Returns:
        [4, samples] per group.
    """
    shape = (counts.codes, weights.shape[1])
    by_code = [csr_array((one, (counts.code, counts.patient)), shape) for one in counts.counts.T]
    groups = np.stack(list(masks.values()), axis=1).astype(float)
    sums = []
    for start in range(0, len(weights), _SAMPLES_AT_ONCE):
        drawn = weights[start : start + _SAMPLES_AT_ONCE].T.astype(float)
        terms = code_terms(np.stack([one @ drawn for one in by_code], axis=-1))
        sums.append(np.einsum("tcs,cg->gts", terms, groups, optimize=True))
    return dict(zip(masks, np.concatenate(sums, axis=2), strict=True))


def code_sums_without(
    counts: PatientCounts, masks: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the summed terms of macro metrics without each patient in turn: [4, patients].

    Only the terms of a patient's own codes change, so all are exact at the cost of one.
    """
    totals = counts.per_code()
    terms = code_terms(totals)
    at = totals[counts.code]
    change = code_terms(at - counts.counts) - terms[:, counts.code]
    patients, sums = len(counts.outside), {}
    for name, codes in masks.items():
        own = codes[counts.code]
        changes = [
            np.bincount(counts.patient[own], weights=one[own], minlength=patients) for one in change
        ]
        sums[name] = terms[:, codes].sum(axis=1)[:, None] + np.stack(changes)
    return sums
