"""Metrics that need no threshold, from the ranks of the gold labels alone.

Every block of scores is sorted and each gold score looked up in it; nothing is ranked that is not
gold. ``group`` files each code under one group (a tier), [L] of 0, 1, …; ranks are taken among all
codes and among the codes of a label's own group.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from longtail_icd.evaluation.metrics import BLOCK, document_of, ratio, row_blocks

POOLED_BLOCK = 16_000_000  # scores sorted as one list at once: 64 MB


def _by_group(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes in order of their groups, and where each group starts and ends."""
    order = np.argsort(group, kind="stable")
    return order, np.searchsorted(group[order], np.arange(group.max(initial=0) + 2))


def document_ranks(
    scores: np.ndarray, gold: csr_array, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each gold label in its document: among all codes, and in its group.

    The best place is 1. Of equal scores the code that comes first in the label list is first.

    Args:
        scores: [N, L], finite.
        gold: [N, L].
        group: [L].

    Returns:
        Twice [labels], in the order of ``gold.indices``.
    """
    order, edges = _by_group(group)
    sizes = np.diff(edges)[:, None]
    overall = np.empty(gold.nnz, dtype=np.int64)
    within = np.empty(gold.nnz, dtype=np.int64)
    for rows in row_blocks(scores.shape):
        block = np.asarray(scores[rows])
        ranked = np.take(block, order, axis=1)
        for low, high in pairwise(edges):
            ranked[:, low:high].sort(axis=1)
        for row, row_ranked, start, end in zip(
            block, ranked, gold.indptr[rows], gold.indptr[rows.start + 1 :], strict=False
        ):
            if start == end:
                continue
            codes = gold.indices[start:end]
            values, own = row[codes], group[codes]
            parts = [row_ranked[low:high] for low, high in pairwise(edges)]
            upto = np.array([part.searchsorted(values, "right") for part in parts])
            below = np.array([part.searchsorted(values, "left") for part in parts])
            above = sizes - upto
            overall[start:end] = above.sum(axis=0) + 1
            within[start:end] = above[own, np.arange(len(codes))] + 1
            for label in np.flatnonzero((upto - below).sum(axis=0) > 1):
                tied = np.flatnonzero(row[: codes[label]] == values[label])
                overall[start + label] += len(tied)
                within[start + label] += np.count_nonzero(group[tied] == own[label])
    return overall, within


def document_metrics(
    ranks: np.ndarray, documents: np.ndarray, size: int, cuts: list[int]
) -> dict[str, np.ndarray]:
    """Metrics of each document's ranking; range [0, 1], NaN for a document without a gold code.

    Their means over documents with a gold code are what the literature prints.

    - ``precision_at_k``: gold codes among the k best-scored, over k, also where there are fewer
      gold codes or codes than k (all peers; k = 8 and 15, 5 for 50 codes).
    - ``recall_at_k``: gold codes among the k best-scored, over the document's gold codes.
    - ``r_precision``: precision at k = the document's number of gold codes (Edin et al. 2023).
    - ``map``: average precision, the mean over gold codes of the precision at their place; its
      mean over documents is MAP. Without ties it equals scikit-learn's and torchmetrics' label
      ranking average precision, which counts ties against the model (GKI-ICD prints that one).

    Args:
        ranks: place of each gold label among the codes in question: [labels].
        documents: its document: [labels], ascending.
        size: N.
        cuts: the k of precision and recall.
    """
    gold = np.bincount(documents, minlength=size)
    has_gold = gold > 0

    def per_document(weights: np.ndarray, over: np.ndarray | int) -> np.ndarray:
        sums = np.bincount(documents, weights=weights, minlength=size)
        return np.where(has_gold, ratio(sums, over), np.nan)

    values = {}
    for cut in cuts:
        values[f"precision_at_{cut}"] = per_document(ranks <= cut, cut)
        values[f"recall_at_{cut}"] = per_document(ranks <= cut, gold)
    values["r_precision"] = per_document(ranks <= gold[documents], gold)
    order = np.lexsort((ranks, documents))
    place = np.arange(len(ranks)) - (np.cumsum(gold) - gold)[documents] + 1
    precision = np.empty(len(ranks))
    precision[order] = place / ranks[order]
    values["map"] = per_document(precision, gold)
    return values


def auc(below: np.ndarray, upto: np.ndarray, decisions: int) -> float:
    """Area under the ROC curve by ranks, ties shared; 0.5 is chance, NaN without both classes.

    Source: Mann and Whitney 1947.

    Args:
        below: how many of all scores lie below each positive's: [positives].
        upto: how many lie below it or equal it, itself included.
        decisions: number of scores, positive and negative.
    """
    positives = len(below)
    negatives = decisions - positives
    if not positives or not negatives:
        return float("nan")
    midranks = (below + upto + 1) / 2
    area = midranks.sum() - positives * (positives + 1) / 2
    return float(area / (positives * negatives))


def average_precision(values: np.ndarray, below: np.ndarray, decisions: int) -> float:
    """Mean over positives of the precision at a cut on their score; range (0, 1], NaN without one.

    A random ranking has about the share of positives. Equal scores share a cut, as in
    scikit-learn's ``average_precision_score``.

    Args:
        values: scores of the positives.
        below: how many of all scores lie below each.
        decisions: number of scores, positive and negative.
    """
    if not len(values):
        return float("nan")
    at_least = len(values) - np.searchsorted(np.sort(values), values, "left")
    return float(np.mean(at_least / (decisions - below)))


def rank_codes(scores: np.ndarray, gold: csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return :func:`auc` and :func:`average_precision` of each code over all documents: twice [L].

    The mean of the first over codes that have both classes is macro-AUC (all peers); that of the
    second, over codes with a gold label, says how well rare codes are found where no threshold
    finds them.
    """
    notes, codes = scores.shape
    by_code = gold.tocsc()
    with_gold = np.flatnonzero(np.diff(by_code.indptr))
    areas, precisions = np.full(codes, np.nan), np.full(codes, np.nan)
    step = max(1, BLOCK // max(1, notes))
    for start in range(0, len(with_gold), step):
        chosen = with_gold[start : start + step]
        columns = np.ascontiguousarray(np.take(scores, chosen, axis=1).T)
        ranked = np.sort(columns, axis=1)
        for code, column, column_ranked in zip(chosen, columns, ranked, strict=True):
            values = column[by_code.indices[slice(*by_code.indptr[code : code + 2])]]
            below = column_ranked.searchsorted(values, "left")
            areas[code] = auc(below, column_ranked.searchsorted(values, "right"), notes)
            precisions[code] = average_precision(values, below, notes)
    return areas, precisions


@dataclass(frozen=True)
class PooledRanks:
    """Where each gold label stands among all decisions taken together; arrays are [labels].

    Attributes:
        values: the gold labels' scores.
        group: their codes' groups.
        below, upto: how many decisions score below it, and below or equal.
        below_own, upto_own: the same among the decisions on the codes of its group.
        decisions: number of decisions on the codes of each group.
    """

    values: np.ndarray
    group: np.ndarray
    below: np.ndarray
    upto: np.ndarray
    below_own: np.ndarray
    upto_own: np.ndarray
    decisions: np.ndarray

    def auc(self, group: int | None = None) -> float:
        """Return micro-AUC: of all decisions, or of those on the codes of one group."""
        if group is None:
            return auc(self.below, self.upto, int(self.decisions.sum()))
        own = self.group == group
        return auc(self.below_own[own], self.upto_own[own], int(self.decisions[group]))

    def best_cut(self) -> tuple[float, float]:
        """Return the score at which micro-F1 over all decisions is best, and micro-F1 there.

        Only the score of a gold label can be the best cut: without one between them, a higher cut
        has as many hits and fewer false positives.

        Raises:
            ValueError: there is no gold label.
        """
        if not len(self.values):
            raise ValueError("no gold label")
        labels = len(self.values)
        hits = labels - np.searchsorted(np.sort(self.values), self.values, "left")
        f1 = 2 * hits / (self.decisions.sum() - self.below + labels)
        best = int(np.argmax(f1))
        return float(self.values[best]), float(f1[best])


def pooled_ranks(scores: np.ndarray, gold: csr_array, group: np.ndarray) -> PooledRanks:
    """Rank the gold labels among all N x L decisions taken together; see :class:`PooledRanks`."""
    codes, edges = _by_group(group)
    values = np.asarray(scores[document_of(gold), gold.indices])
    own = group[gold.indices]
    order = np.argsort(values, kind="stable")
    queries = values[order]
    counted = np.zeros((4, len(values)), dtype=np.int64)
    for rows in row_blocks(scores.shape, POOLED_BLOCK):
        block = scores[rows]
        for one, (low, high) in enumerate(pairwise(edges)):
            pool = np.take(block, codes[low:high], axis=1).ravel()
            pool.sort()
            found = np.stack([pool.searchsorted(queries, side) for side in ("left", "right")])
            counted[:2] += found
            counted[2:] += found * (own[order] == one)
    counts = np.empty_like(counted)
    counts[:, order] = counted
    return PooledRanks(values, own, *counts, np.diff(edges) * scores.shape[0])
