"""The terms of the two models' losses."""

import torch.nn.functional as F
from torch import Tensor


def weighted_bce(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """Binary cross-entropy, mean over labels, weighted mean over notes; logits [B, L]."""
    per_note = F.binary_cross_entropy_with_logits(logits.float(), targets, reduction="none").mean(1)
    if weights is None:
        return per_note.mean()
    return (per_note * weights).sum() / weights.sum()


def rdrop_softmax(first: Tensor, second: Tensor) -> Tensor:
    """Symmetric KL between the softmax over labels of two passes, over the number of labels.

    As published for GKI-ICD. Both inputs [B, L]; the mean over notes.
    """
    p, q = first.float().log_softmax(-1), second.float().log_softmax(-1)
    forward = F.kl_div(p, q, log_target=True, reduction="sum")
    backward = F.kl_div(q, p, log_target=True, reduction="sum")
    return (forward + backward) / 2 / first.numel()


def rdrop_bernoulli(first: Tensor, second: Tensor) -> Tensor:
    """Symmetric KL between the labels' Bernoulli distributions of two passes, mean over labels.

    Our correction: the labels of a note are independent decisions, not one choice among them.
    (p - q)(logit p - logit q) is the sum of both directions.
    """
    first, second = first.float(), second.float()
    return ((first.sigmoid() - second.sigmoid()) * (first - second)).mean() / 2


def evidence_distance(note: Tensor, guideline: Tensor, targets: Tensor) -> Tensor:
    """1 - cosine of the label vectors [B, L, d] of note and guideline, mean over gold labels."""
    gold = targets.bool()
    if not gold.any():
        return note.new_zeros(())
    return (1 - F.cosine_similarity(note[gold], guideline[gold], dim=-1)).mean()


RDROP = {"softmax": rdrop_softmax, "bernoulli": rdrop_bernoulli}
