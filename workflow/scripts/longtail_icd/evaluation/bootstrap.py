"""Intervals by resampling patients; a patient's notes stay together."""

import numpy as np

from longtail_icd.evaluation.metrics import f1_from_counts


def patient_weights(patients: int, samples: int, seed: int) -> np.ndarray:
    """Return how often each patient is drawn in each bootstrap sample: [samples, patients]."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(patients, np.full(patients, 1 / patients), size=samples)


def counts_per_patient(
    gold: np.ndarray, predicted: np.ndarray, patient: np.ndarray, codes: np.ndarray
) -> np.ndarray:
    """Pool TP, FP and FN of the chosen codes per patient: [patients, 3].

    Args:
        gold: boolean [N, L].
        predicted: boolean [N, L].
        patient: each note's patient as an index [N].
        codes: boolean [L], the codes of a tier.
    """
    truth, said = gold[:, codes], predicted[:, codes]
    hits = (truth & said).sum(axis=1)
    per_note = np.stack([hits, said.sum(axis=1) - hits, truth.sum(axis=1) - hits], axis=1)
    counts = np.zeros((patient.max() + 1, 3))
    np.add.at(counts, patient, per_note)
    return counts


def pooled_f1_samples(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the pooled F1 of every bootstrap sample: [samples]."""
    return f1_from_counts(weights @ counts)


def percentile_interval(samples: np.ndarray, confidence: float) -> tuple[float, float]:
    """Return the percentile interval at ``confidence``, for example 0.95."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return float(low), float(high)


def two_sided_p(samples: np.ndarray) -> float:
    """Twice the smaller share of bootstrap differences on one side of 0 (never exactly 0)."""
    low = ((samples <= 0).sum() + 1) / (len(samples) + 1)
    high = ((samples >= 0).sum() + 1) / (len(samples) + 1)
    return float(min(1.0, 2 * min(low, high)))


def holm(p_values: list[float]) -> list[float]:
    """Adjust p-values for several tests (Holm 1979): monotone, never below the raw value."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted.tolist()
