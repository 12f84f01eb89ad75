"""Label attention over notes of different lengths, whose scores are never held for all notes."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint


class Attended(NamedTuple):
    """What labels look at, and with what: the arguments of :func:`label_attention`."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    lengths: list[int]


def wide(tensor: Tensor) -> Tensor:
    """Return ``tensor`` in at least single precision; double stays double."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def label_attention(
    queries: Tensor, keys: Tensor, values: Tensor, lengths: list[int]
) -> list[Tensor]:
    """Let every label look at the tokens of each note: softmax over tokens, unscaled.

    Note by note, on a CPU with :func:`fused` and elsewhere with :func:`recomputed`
    (benchmarks/README.md). At least single precision, whatever the rest runs in: overflowing
    scores are what makes these models collapse.

    Args:
        queries: [L, k], one per label.
        keys: [N, k], of the tokens of all notes one after another.
        values: [N, d].
        lengths: tokens of each note, N in all.

    Returns:
        For each note what its labels saw, [L, d].
    """
    attend = fused if keys.device.type == "cpu" else recomputed
    with torch.autocast(keys.device.type, enabled=False):
        labels = wide(queries)
        notes = zip(wide(keys).split(lengths), wide(values).split(lengths), strict=True)
        return [attend(labels, key, value) for key, value in notes]


def fused(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend to one note without its scores [L, T], which are never held; returns [L, d].

    On a GPU torch's fast kernels read half precision and at most 256 numbers a token only.
    """
    queries, keys, values = queries[None, None], keys[None, None], values[None, None]
    return F.scaled_dot_product_attention(queries, keys, values, scale=1.0)[0, 0]


def recomputed(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend to one note with two matrix products; returns [L, d].

    Its scores [L, T] are made again in the backward pass, so that those of one note at a time are
    held.
    """

    def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        return attention_weights(queries, keys) @ values

    return checkpoint(attend, queries, keys, values, use_reentrant=False, preserve_rng_state=False)


def attention_weights(queries: Tensor, keys: Tensor) -> Tensor:
    """Return where some labels look in one note: weights [l, T], of which each row sums to 1.

    Args:
        queries: [l, k], of the labels asked for.
        keys: [T, k], of the note's tokens.
    """
    return torch.softmax(wide(queries) @ wide(keys).T, dim=-1)
