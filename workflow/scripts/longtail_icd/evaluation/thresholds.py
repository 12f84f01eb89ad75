"""Thresholds beside the global one, tuned on dev: one per tier, one per code.

A rare code has few dev labels, and the best cut on few labels is mostly chance. So a tier's cut is
shrunk towards the global one and a code's towards its tier's: with n dev labels, its own best cut
weighs n / (n + prior). All cuts are logits.
"""

import numpy as np
import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.common.tiers import TIERS
from longtail_icd.evaluation.groups import tier_index
from longtail_icd.training.selection import best_micro_f1


def shrunk_cut(
    scores: np.ndarray, gold: np.ndarray, codes: np.ndarray, towards: float, prior: float
) -> float:
    """Return the cut of some codes: the best of their micro-F1 on dev, shrunk.

    Before: best cut 2.0 on 30 labels, towards -1.0, prior 10. After: (30 · 2.0 - 10 · 1.0) / 40.

    Args:
        scores: logits of dev [N, L].
        gold: boolean [N, L].
        codes: indices of the codes; without a dev label the cut is ``towards``.
        towards: the cut of the next larger group.
        prior: the number of labels at which both weigh the same.
    """
    truth = gold[:, codes]
    labels = int(truth.sum())
    if not labels:
        return towards
    best, _ = best_micro_f1(scores[:, codes], truth)
    return (labels * best + prior * towards) / (labels + prior)


def tune_thresholds(
    scores: np.ndarray,
    gold: np.ndarray,
    codes: list[str],
    tiers: pl.DataFrame,
    overall: float,
    prior: float,
) -> pl.DataFrame:
    """Return the table evaluation/thresholds.

    Args:
        scores: logits of dev [N, L].
        gold: boolean [N, L].
        codes: in label order.
        tiers: plan/tiers.
        overall: the global cut.
        prior: see shrunk_cut.
    """
    tier = tier_index(codes, tiers)
    per_tier = np.full(len(codes), float(overall))
    for number in range(len(TIERS)):
        members = np.flatnonzero(tier == number)
        per_tier[members] = shrunk_cut(scores, gold, members, overall, prior)
    per_code = [
        shrunk_cut(scores, gold, np.array([code]), cut, prior) for code, cut in enumerate(per_tier)
    ]
    columns = {"code": codes, "per_tier": per_tier, "per_code": per_code}
    return pl.DataFrame(columns, schema=TABLES["evaluation/thresholds"].columns)
