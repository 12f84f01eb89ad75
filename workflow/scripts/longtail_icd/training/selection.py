"""What a checkpoint and a threshold are chosen by, on dev: MAP and the best micro-F1."""

import numpy as np


def mean_average_precision(scores: np.ndarray, gold: np.ndarray) -> float:
    """Mean over documents of the average precision of their full ranking; range [0, 1].

    Documents without a gold code are left out; without any such document the value is 0. Ties
    are broken by label order (scores and gold are [N, L]).
    """
    has_gold = gold.any(axis=1)
    if not has_gold.any():
        return 0.0
    order = np.argsort(-scores[has_gold], axis=1, kind="stable")
    hits = np.take_along_axis(gold[has_gold].astype(bool), order, axis=1)
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return float(((precision * hits).sum(axis=1) / hits.sum(axis=1)).mean())


def best_micro_f1(scores: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """Return the cut that maximises micro-F1 and the micro-F1 there: exact search.

    Args:
        scores: [N, L], any monotone score. A code is predicted when its score ≥ the cut.
        gold: [N, L] of 0 and 1.

    Returns:
        cut, midway between two neighbouring distinct scores, and micro-F1 in [0, 1].

    Raises:
        ValueError: there is no gold label.
    """
    flat, truth = scores.ravel().astype(np.float64), gold.ravel().astype(bool)
    positives = int(truth.sum())
    if positives == 0:
        raise ValueError("no gold label")
    order = np.argsort(-flat, kind="stable")
    ranked = flat[order]
    hits = np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(flat) + 1) + positives)
    # A cut can only lie between two different scores.
    possible = np.append(ranked[:-1] > ranked[1:], True)
    best = int(np.argmax(np.where(possible, f1, -1.0)))
    below = ranked[best + 1] if best + 1 < len(ranked) else ranked[best] - 1.0
    middle = (ranked[best] + below) / 2
    return float(middle if middle > below else ranked[best]), float(f1[best])


def choose_threshold(kind: str, scores: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """Return the logit from which on a code is predicted, and the micro-F1 on dev there.

    Args:
        kind: ``micro_f1``, the best on dev (see best_micro_f1), or ``half``, a probability of 0.5
            that nothing was chosen by.
        scores: logits of dev, [N, L].
        gold: [N, L] of 0 and 1, with a 1.
    """
    if kind == "micro_f1":
        return best_micro_f1(scores, gold)
    predicted = scores >= 0
    hits = (predicted & gold.astype(bool)).sum()
    return 0.0, float(2 * hits / (predicted.sum() + gold.sum()))
