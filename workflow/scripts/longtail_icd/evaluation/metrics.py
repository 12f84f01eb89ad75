"""Metrics of thresholded predictions, each under its own name.

With :mod:`ranking`, :mod:`calibration` and :mod:`evaluate` this needs numpy and scipy alone. N
documents, L codes. ``scores`` is [N, L], an array or a memory map, and is read in blocks, never
copied whole; ``gold`` and ``predicted`` are sparse boolean [N, L]. 0/0 counts as 0 everywhere.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

BLOCK = 4_000_000  # scores held at once: 16 MB


def ratio(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    """Return ``part / whole``, 0 where ``whole`` is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def row_blocks(shape: tuple[int, int], block: int | None = None) -> Iterator[slice]:
    """Yield slices of rows, of about ``block`` scores each; None: :data:`BLOCK`."""
    step = max(1, (block or BLOCK) // max(1, shape[1]))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def document_of(labels: csr_array) -> np.ndarray:
    """Return the row of each label, in the order of ``labels.indices``."""
    return np.repeat(np.arange(labels.shape[0]), np.diff(labels.indptr))


def decide(scores: np.ndarray, threshold: float | np.ndarray) -> csr_array:
    """Return which codes are predicted: those whose score reaches the threshold.

    Args:
        scores: [N, L].
        threshold: one for all codes, or one per code [L].
    """
    columns, lengths = [], []
    for rows in row_blocks(scores.shape):
        reached = scores[rows] >= threshold
        columns.append(np.nonzero(reached)[1].astype(np.int32))
        lengths.append(np.count_nonzero(reached, axis=1))
    indices = np.concatenate(columns)
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    return csr_array((np.ones(len(indices), dtype=bool), indices, indptr), shape=scores.shape)


def counts_per_code(gold: csr_array, predicted: csr_array) -> np.ndarray:
    """Return true positives, false positives and false negatives per code: [L, 3]."""
    codes = gold.shape[1]
    hits, said, truth = (
        np.bincount(labels.indices, minlength=codes)
        for labels in (gold.multiply(predicted).tocsr(), predicted, gold)
    )
    return np.stack([hits, said - hits, truth - hits], axis=1)


def micro_metrics(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 of all decisions taken together; range [0, 1].

    Over the codes of one tier, micro-F1 is that tier's pooled F1; over few_shot codes it is our
    primary endpoint. Without a gold label and a prediction all three are 0.

    - ``micro_precision``: TP / (TP + FP).
    - ``micro_recall``: TP / (TP + FN).
    - ``micro_f1``: 2 TP / (2 TP + FP + FN). CAML, PLM-ICD, MSMN and GKI-ICD print it over all
      codes; Edin et al. 2023 first drop codes without a gold label, and with them their false
      positives.

    Args:
        counts: [..., 3] of TP, FP, FN, summed over codes and documents.
    """
    hits, false, missed = np.moveaxis(np.asarray(counts), -1, 0)
    return {
        "micro_precision": ratio(hits, hits + false),
        "micro_recall": ratio(hits, hits + missed),
        "micro_f1": ratio(2 * hits, 2 * hits + false + missed),
    }


def code_terms(counts: np.ndarray) -> np.ndarray:
    """Return precision, recall and F1 of each code, and whether it has a gold label: [4, ...].

    All but the last are 0 for a code without a gold label, so that sums over a group of codes are
    all that macro metrics need.

    Args:
        counts: [..., 3] of TP, FP, FN of a code.
    """
    hits, false, missed = np.moveaxis(np.asarray(counts), -1, 0)
    truth = hits + missed
    return np.stack(
        [
            ratio(hits, hits + false),
            ratio(hits, truth),
            ratio(2 * hits, hits + false + truth),
            truth > 0,
        ]
    )


def macro_metrics(sums: np.ndarray, codes: int) -> dict[str, np.ndarray]:
    """Means over codes, three macro-F1 among them; range [0, 1].

    - ``macro_precision``, ``macro_recall``: means over all codes; a code without prediction, or
      without gold label, counts 0 (CAML and all who took over its script).
    - ``macro_f1_all_codes``: mean F1 over all codes; a code without gold label counts 0, so that
      the mean cannot exceed the share of codes in test (``f1_macro`` of GKI-ICD and torchmetrics).
    - ``macro_f1_harmonic``: harmonic mean of ``macro_precision`` and ``macro_recall``; it rewards
      precision on some codes and recall on others (CAML, PLM-ICD, MSMN, KEPT, LAAT).
    - ``macro_f1_test_codes``, ``macro_precision_test_codes``, ``macro_recall_test_codes``: means
      over codes with a gold label; predictions of other codes cost nothing (Edin et al. 2023,
      ``f1_macro_revised`` of GKI-ICD).

    Source: Edin et al. 2023; Opitz and Burst 2019 on the two kinds of mean.

    Args:
        sums: :func:`code_terms` summed over the codes: [4, ...].
        codes: how many codes were summed.
    """
    precision, recall, f1, present = sums
    mean_precision, mean_recall = precision / codes, recall / codes
    return {
        "macro_precision": mean_precision,
        "macro_recall": mean_recall,
        "macro_f1_all_codes": f1 / codes,
        "macro_f1_harmonic": ratio(2 * mean_precision * mean_recall, mean_precision + mean_recall),
        "macro_f1_test_codes": ratio(f1, present),
        "macro_precision_test_codes": ratio(precision, present),
        "macro_recall_test_codes": ratio(recall, present),
    }


def decision_metrics(counts: np.ndarray, outside: int = 0) -> dict[str, float]:
    """Return :func:`micro_metrics` and :func:`macro_metrics` of a group of codes.

    Args:
        counts: [L, 3] of TP, FP, FN, with at least one code.
        outside: gold labels outside the label space; no model can find them: misses of the micro
            metrics.
    """
    pooled = counts.sum(axis=0) + np.array([0, 0, outside])
    macro = macro_metrics(code_terms(counts).sum(axis=1), len(counts))
    return {name: float(value) for name, value in (micro_metrics(pooled) | macro).items()}


def exact_match(gold: csr_array, predicted: csr_array) -> float:
    """Share of documents whose predicted set equals the gold set; range [0, 1].

    A document without gold codes matches an empty prediction. Edin et al. 2023 print it as EMR.
    """
    hits = np.diff(gold.multiply(predicted).tocsr().indptr)
    truth, said = np.diff(gold.indptr), np.diff(predicted.indptr)
    return float(((hits == truth) & (hits == said)).mean())
