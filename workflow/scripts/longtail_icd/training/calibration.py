"""From logits to probabilities that mean what they say: Platt scaling, fitted on dev."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

BINS = 4096
LEAST_SLOPE = 1e-6  # the order of the logits is never turned round


@dataclass(frozen=True)
class Calibration:
    """p = sigmoid(slope · logit + intercept), one for all codes; slope > 0."""

    slope: float = 1.0
    intercept: float = 0.0

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return probabilities (0 to 1) of logits of any shape."""
        return expit(self.slope * logits.astype(np.float64) + self.intercept)


def fit_calibration(logits: np.ndarray, gold: np.ndarray) -> Calibration:
    """Fit by maximum likelihood over all decisions, one per note and code.

    Platt (1999), with his targets short of 0 and 1, so that a perfect fit stays finite. Decisions
    with nearly the same logit (in one of ``BINS`` bins of equal width) count as one point: what is
    held does not grow with notes times codes.

    Args:
        logits: of dev, [N, L].
        gold: [N, L] of 0 and 1.
    """
    flat, truth = logits.ravel(), gold.ravel().astype(bool)
    span = (float(flat.min()), float(flat.max()))
    count, _ = np.histogram(flat, BINS, span)
    sums, _ = np.histogram(flat, BINS, span, weights=flat)
    hits, _ = np.histogram(flat[truth], BINS, span)
    filled = count > 0
    count, sums, hits = count[filled], sums[filled], hits[filled]
    points = sums / count
    positives = hits.sum()
    negatives = len(flat) - positives
    targets = hits * (positives + 1) / (positives + 2) + (count - hits) / (negatives + 2)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the cross-entropy per positive and its gradient (Lin, Lin and Weng 2007)."""
        margins = parameters[0] * points + parameters[1]
        entropy = count * np.logaddexp(0, margins) - targets * margins
        residuals = count * expit(margins) - targets
        gradient = np.array([residuals @ points, residuals.sum()])
        return entropy.sum() / positives, gradient / positives

    found = minimize(
        loss,
        x0=[1.0, 0.0],
        jac=True,
        method="L-BFGS-B",
        bounds=[(LEAST_SLOPE, None), (None, None)],
        options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 1000},
    )
    return Calibration(float(found.x[0]), float(found.x[1]))
