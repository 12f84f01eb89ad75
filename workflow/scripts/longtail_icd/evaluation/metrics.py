"""The metrics of automatic medical coding, each under its own name.

Three different macro-F1 are printed in one column in the literature. N documents, L codes, gold
and predicted are boolean [N, L]; 0/0 counts as 0 everywhere.
"""

import numpy as np
from scipy.stats import rankdata

from longtail_icd.training.selection import mean_average_precision


def _ratio(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def counts_per_code(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return true positives, false positives and false negatives per code: [3, L]."""
    hits = (gold & predicted).sum(axis=0)
    return np.stack([hits, predicted.sum(axis=0) - hits, gold.sum(axis=0) - hits])


def f1_from_counts(counts: np.ndarray) -> np.ndarray:
    """F1 from [..., 3] counts of TP, FP, FN; range [0, 1]."""
    hits, false, missed = counts[..., 0], counts[..., 1], counts[..., 2]
    return _ratio(2 * hits, 2 * hits + false + missed)


def decision_metrics(counts: np.ndarray, outside: int = 0) -> dict[str, float]:
    """Metrics of thresholded predictions, from :func:`counts_per_code`.

    - ``micro_precision``, ``micro_recall``, ``micro_f1``: over all N x L decisions (CAML, PLM-ICD,
      GKI-ICD). Over a tier's codes this is the pooled F1, our primary endpoint for few_shot.
    - ``macro_f1_all_codes``: mean of per-code F1 over all L codes; a code absent from gold counts
      0 (GKI-ICD's ``f1_macro``).
    - ``macro_f1_harmonic``: harmonic mean of macro-precision and macro-recall over all L codes
      (CAML, PLM-ICD, MSMN).
    - ``macro_f1_test_codes``: mean of per-code F1 over codes with at least one gold label (Edin
      2023, GKI-ICD's ``f1_macro_revised``).

    Args:
        counts: [3, L].
        outside: gold labels outside the label space; no model can find them: misses.
    """
    hits, false, missed = counts
    total = counts.sum(axis=1)
    precision, recall = _ratio(hits, hits + false), _ratio(hits, hits + missed)
    f1 = f1_from_counts(counts.T)
    present = hits + missed > 0
    macro_p, macro_r = precision.mean(), recall.mean()
    return {
        "micro_precision": float(_ratio(total[0], total[0] + total[1])),
        "micro_recall": float(_ratio(total[0], total[0] + total[2] + outside)),
        "micro_f1": float(_ratio(2 * total[0], 2 * total[0] + total[1] + total[2] + outside)),
        "macro_precision": float(macro_p),
        "macro_recall": float(macro_r),
        "macro_f1_all_codes": float(f1.mean()),
        "macro_f1_harmonic": float(_ratio(2 * macro_p * macro_r, macro_p + macro_r)),
        "macro_f1_test_codes": float(f1[present].mean()) if present.any() else 0.0,
    }


def auc_per_code(scores: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """Area under the ROC curve per code by ranks, ties shared; NaN without both classes: [L]."""
    notes = len(scores)
    ranks = rankdata(scores, axis=0)
    positives = gold.sum(axis=0)
    both = (positives > 0) & (positives < notes)
    area = np.full(scores.shape[1], np.nan)
    above = (ranks * gold).sum(axis=0) - positives * (positives + 1) / 2
    area[both] = above[both] / (positives[both] * (notes - positives[both]))
    return area


def ranking_metrics(
    scores: np.ndarray, gold: np.ndarray, cuts: list[int], per_document: bool = True
) -> dict[str, float]:
    """Metrics that need no threshold; range [0, 1].

    - ``auc_macro``: mean over codes with a positive and a negative (all peers); ``auc_micro``: all
      decisions at once. 0.5 is chance. NaN if no code has both.
    - ``precision_at_k``: hits among the k best codes over k; ``recall_at_k``: over the gold codes.
    - ``r_precision``: precision at k = the document's number of gold codes.
    - ``map``: mean average precision over the full ranking of each document.
    Document metrics are means over documents with a gold code.
    """
    area = auc_per_code(scores, gold)
    flat = auc_per_code(scores.reshape(-1, 1), gold.reshape(-1, 1))[0]
    values = {
        "auc_macro": float(np.nanmean(area)) if np.isfinite(area).any() else float("nan"),
        "auc_micro": float(flat),
    }
    rows = gold.any(axis=1)
    if not per_document or not rows.any():
        return values
    order = np.argsort(-scores[rows], axis=1, kind="stable")
    hits = np.cumsum(np.take_along_axis(gold[rows], order, axis=1), axis=1)
    size = gold[rows].sum(axis=1)
    for cut in cuts:
        found = hits[:, min(cut, hits.shape[1]) - 1]
        values[f"precision_at_{cut}"] = float((found / cut).mean())
        values[f"recall_at_{cut}"] = float((found / size).mean())
    values["r_precision"] = float((hits[np.arange(len(size)), size - 1] / size).mean())
    values["map"] = mean_average_precision(scores, gold)
    return values


def exact_match(gold: np.ndarray, predicted: np.ndarray) -> float:
    """Share of documents whose predicted set equals the gold set; range [0, 1]."""
    return float((gold == predicted).all(axis=1).mean())
