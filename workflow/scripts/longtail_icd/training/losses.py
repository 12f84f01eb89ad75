"""The terms of the two models' losses: each a mean over notes, in which notes have weights."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from longtail_icd.training.attention import wide


def _total(weights: Tensor) -> Tensor:
    """Return the sum of the notes' weights, as a divisor: notes may all count for nothing."""
    return weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)


def mean_over_notes(per_note: Tensor, weights: Tensor | None) -> Tensor:
    """Return the weighted mean of [B] values; 0 where no note has a weight."""
    if weights is None:
        return per_note.mean()
    return (per_note * weights).sum() / _total(weights)


def weighted_bce(
    logits: Tensor, targets: Tensor, weights: Tensor | None, label_mask: Tensor | None = None
) -> Tensor:
    """Binary cross-entropy: sum over labels by their number L, weighted mean over notes.

    Args:
        logits: [B, L].
        targets: [B, L] of 0 and 1.
        weights: [B], the notes' weights.
        label_mask: [B, L], false for labels of a note that nothing is known of. They add nothing;
            the others weigh as they would without it.
    """
    losses = F.binary_cross_entropy_with_logits(wide(logits), targets, reduction="none")
    if label_mask is not None:
        losses = losses * label_mask
    return mean_over_notes(losses.mean(1), weights)


def rdrop_softmax(first: Tensor, second: Tensor, weights: Tensor | None = None) -> Tensor:
    """Symmetric KL between the softmax over labels of two passes, over the number of labels.

    As published for GKI-ICD. Both inputs [B, L]; the weighted mean over notes.
    """
    p, q = wide(first).log_softmax(-1), wide(second).log_softmax(-1)
    forward = F.kl_div(p, q, log_target=True, reduction="none")
    backward = F.kl_div(q, p, log_target=True, reduction="none")
    return mean_over_notes((forward + backward).mean(1) / 2, weights)


def rdrop_bernoulli(first: Tensor, second: Tensor, weights: Tensor | None = None) -> Tensor:
    """Symmetric KL between the labels' Bernoulli distributions of two passes, mean over labels.

    Our correction: the labels of a note are independent decisions, not one choice among them.
    (p - q)(logit p - logit q) is the sum of both directions.
    """
    first, second = wide(first), wide(second)
    both = (first.sigmoid() - second.sigmoid()) * (first - second)
    return mean_over_notes(both.mean(1) / 2, weights)


def evidence_distance(
    note: Sequence[Tensor],
    guideline: Sequence[Tensor],
    targets: Tensor,
    weights: Tensor | None = None,
) -> Tensor:
    """1 - cosine of the label vectors of note and guideline, [L, d] for each of B notes.

    The mean over a note's gold labels, then over notes: as published, where a batch is one note.
    """
    gold = targets.bool()
    first, second = (
        torch.cat([vectors[labels] for vectors, labels in zip(text, gold, strict=True)])
        for text in (note, guideline)
    )
    distances = 1 - F.cosine_similarity(first, second, dim=-1)
    weights = targets.new_ones(len(targets)) if weights is None else weights
    per_label = weights / targets.sum(1).clamp_min(1)
    return (distances * per_label.repeat_interleave(gold.sum(1))).sum() / _total(weights)


RDROP = {"softmax": rdrop_softmax, "bernoulli": rdrop_bernoulli}
