"""Are probabilities what they say? Sigmoids of logits against gold labels."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from longtail_icd.evaluation.metrics import document_of, ratio, row_blocks

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Decisions by code and by bin of their probability, bins of equal width: [L, bins] each.

    Attributes:
        decisions: how many.
        expected: sum of their probabilities.
        observed: gold labels among them.
    """

    decisions: np.ndarray
    expected: np.ndarray
    observed: np.ndarray


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities of logits, in their precision."""
    with np.errstate(over="ignore"):  # of a sure no: 1 / infinity is the 0 it should be
        return 1 / (1 + np.exp(-logits))


def _bin_of(probabilities: np.ndarray, bins: int) -> np.ndarray:
    return np.minimum((probabilities * bins).astype(np.int64), bins - 1)


def reliability(logits: np.ndarray, gold: csr_array, bins: int = BINS) -> Reliability:
    """Sort the decisions on each code into bins of their probability.

    Nearly all decisions fall into the lowest bin, which is therefore taken from the sums.

    Args:
        logits: [N, L], finite.
        gold: [N, L].
        bins: number of bins of equal width over [0, 1]; each holds its lower edge.
    """
    notes, codes = logits.shape
    decisions, expected = np.zeros((2, codes * bins))
    total = np.zeros(codes)
    for rows in row_blocks(logits.shape):
        likely = sigmoid(logits[rows])
        total += likely.sum(axis=0, dtype=np.float64)
        row, code = np.nonzero(likely >= 1 / bins)
        likely = likely[row, code]
        place = code * bins + _bin_of(likely, bins)
        decisions += np.bincount(place, minlength=codes * bins)
        expected += np.bincount(place, weights=likely, minlength=codes * bins)
    likely = sigmoid(np.asarray(logits[document_of(gold), gold.indices]))
    place = gold.indices.astype(np.int64) * bins + _bin_of(likely, bins)
    observed = np.bincount(place, minlength=codes * bins).reshape(codes, bins)
    decisions, expected = decisions.reshape(codes, bins), expected.reshape(codes, bins)
    decisions[:, 0] = notes - decisions[:, 1:].sum(axis=1)
    expected[:, 0] = np.maximum(total - expected[:, 1:].sum(axis=1), 0)
    return Reliability(decisions, expected, observed)


def calibration_error(bins: Reliability, codes: np.ndarray | slice = slice(None)) -> float:
    """Return the expected calibration error (ECE) of the decisions on some codes; range [0, 1].

    The mean over decisions of how far, in its bin, the mean probability lies from the share of
    gold labels. 0 is perfect. With thousands of codes nearly every decision is a sure no, and the
    error is small whatever the model: compare it between runs, not with other fields.

    Source: Naeini, Cooper and Hauskrecht 2015; Guo et al. 2017 (15 bins).

    Args:
        bins: of :func:`reliability`.
        codes: which codes, as a mask [L].
    """
    expected = bins.expected[codes].sum(axis=0)
    observed = bins.observed[codes].sum(axis=0)
    return float(ratio(np.abs(expected - observed).sum(), bins.decisions[codes].sum()))


def calibration_error_per_code(bins: Reliability) -> np.ndarray:
    """Return the expected calibration error of each code alone: [L]."""
    gaps = np.abs(bins.expected - bins.observed).sum(axis=1)
    return ratio(gaps, bins.decisions.sum(axis=1))
