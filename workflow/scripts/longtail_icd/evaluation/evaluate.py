"""Every metric of one score matrix at once; see metrics, ranking and calibration for each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from longtail_icd.evaluation.calibration import Reliability, calibration_error, reliability
from longtail_icd.evaluation.metrics import (
    counts_per_code,
    decide,
    decision_metrics,
    document_of,
    exact_match,
)
from longtail_icd.evaluation.ranking import (
    PooledRanks,
    document_metrics,
    document_ranks,
    pooled_ranks,
    rank_codes,
)

ALL = "all"
CUTS = (5, 8, 15)


def mean_of_defined(values: np.ndarray) -> float:
    """Return the mean of the values that are numbers; NaN if none is."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


@dataclass(frozen=True)
class Evaluation:
    """What was measured, with the parts that it was measured from.

    Attributes:
        values: metric values of all codes (``all``) and of each group.
        documents: each document's ranking metrics, likewise; see document_metrics.
        predicted: the decisions [N, L].
        counts: TP, FP and FN of each code: [L, 3].
        auc, average_precision: of each code [L]; NaN where undefined.
        reliability: probabilities against gold labels.
        pooled: ranks among all decisions.
    """

    values: dict[str, dict[str, float]]
    documents: dict[str, dict[str, np.ndarray]]
    predicted: csr_array
    counts: np.ndarray
    auc: np.ndarray
    average_precision: np.ndarray
    reliability: Reliability
    pooled: PooledRanks

    def of_codes(self, codes: np.ndarray) -> dict[str, float]:
        """Return what is known of any group of codes, given as a mask [L]: no rankings."""
        return decision_metrics(self.counts[codes]) | {
            "auc_macro": mean_of_defined(self.auc[codes]),
            "ap_macro": mean_of_defined(self.average_precision[codes]),
            "ece": calibration_error(self.reliability, codes),
        }


def document_values(
    scores: np.ndarray,
    gold: csr_array,
    group: np.ndarray,
    names: Sequence[str],
    cuts: Sequence[int],
) -> dict[str, dict[str, np.ndarray]]:
    """Return each document's ranking metrics, of all codes and of each group: [N] each."""
    overall, within = document_ranks(scores, gold, group)
    documents, size = document_of(gold), gold.shape[0]
    values = {ALL: document_metrics(overall, documents, size, cuts)}
    for number, name in enumerate(names):
        own = group[gold.indices] == number
        values[name] = document_metrics(within[own], documents[own], size, cuts)
    return values


def evaluate(
    scores: np.ndarray,
    gold: csr_array,
    threshold: float | np.ndarray,
    cuts: Sequence[int] = CUTS,
    group: np.ndarray | None = None,
    names: Sequence[str] = (),
    outside: int = 0,
) -> Evaluation:
    """Measure everything but intervals.

    Example: ``evaluate(logits, csr_array(gold), 0.0).values["all"]["micro_f1"]``.

    Args:
        scores: finite logits [N, L], an array or a memory map.
        gold: boolean [N, L].
        threshold: a code is predicted when its logit reaches it; one, or one per code [L].
        cuts: the k of precision and recall at k.
        group: each code's group, an index into ``names``: [L]; none: all codes together.
        names: of the groups. One without codes is left out.
        outside: gold labels outside the label space, misses of ``all``.
    """
    gold = csr_array(gold, dtype=bool, copy=True)
    gold.sum_duplicates()  # and sorts them
    gold.eliminate_zeros()
    group = np.zeros(gold.shape[1], dtype=np.int64) if group is None else group
    predicted = decide(scores, threshold)
    auc, average_precision = rank_codes(scores, gold)
    evaluation = Evaluation(
        values={},
        documents=document_values(scores, gold, group, names, cuts),
        predicted=predicted,
        counts=counts_per_code(gold, predicted),
        auc=auc,
        average_precision=average_precision,
        reliability=reliability(scores, gold),
        pooled=pooled_ranks(scores, gold, group),
    )
    masks = {ALL: np.ones(len(group), dtype=bool)}
    masks |= {name: group == number for number, name in enumerate(names)}
    for number, (name, codes) in enumerate(masks.items(), start=-1):
        if not codes.any():
            continue
        values = evaluation.of_codes(codes)
        values["auc_micro"] = evaluation.pooled.auc(None if name == ALL else number)
        for metric, documents in evaluation.documents[name].items():
            values[metric] = mean_of_defined(documents)
        evaluation.values[name] = values
    evaluation.values[ALL] |= decision_metrics(evaluation.counts, outside)
    evaluation.values[ALL]["exact_match"] = exact_match(gold, predicted)
    return evaluation
