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


@dataclass(frozen=True)
class Rescaling:
    """logit becomes factor · logit + offset; factor > 0."""

    factor: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Return rescaled logits of any shape."""
        return self.factor * logits + self.offset


def rescale_unseen(logits: np.ndarray, gold: np.ndarray, unseen: np.ndarray) -> Rescaling:
    """Return what brings unseen codes' logits to the scale of the others, by the labels of dev.

    Codes that no real train note has are learnt from synthetic notes alone, and every real one
    counts against them: on real notes their logits are too low beside the others'. Both groups
    are calibrated by themselves; where they then have the same probability, they shall have the
    same logit.

    Args:
        logits: of dev, [N, L].
        gold: [N, L] of 0 and 1.
        unseen: the codes that no real train note has, [L] of booleans.

    Returns:
        Nothing to do, if dev has no label of one of the groups or nothing was learnt of the seen.
    """
    if not (gold[:, unseen].any() and gold[:, ~unseen].any()):
        return Rescaling()
    own = fit_calibration(logits[:, unseen], gold[:, unseen])
    others = fit_calibration(logits[:, ~unseen], gold[:, ~unseen])
    if others.slope <= LEAST_SLOPE:
        return Rescaling()
    return Rescaling(own.slope / others.slope, (own.intercept - others.intercept) / others.slope)


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
