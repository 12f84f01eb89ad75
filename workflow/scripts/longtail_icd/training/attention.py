"""Label attention over notes of different lengths, whose scores are never held in full."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


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

    One fused kernel per note: it never holds the note's scores [L, T], in the backward pass
    neither. Of what was measured (benchmarks/README.md) the fastest. At least single precision,
    whatever the rest runs in: overflowing scores are what makes these models collapse.

    Args:
        queries: [L, k], one per label.
        keys: [N, k], of the tokens of all notes one after another.
        values: [N, d].
        lengths: tokens of each note, N in all.

    Returns:
        For each note what its labels saw, [L, d].
    """
    with torch.autocast(keys.device.type, enabled=False):
        labels = wide(queries)[None, None]
        notes = zip(wide(keys).split(lengths), wide(values).split(lengths), strict=True)
        return [
            F.scaled_dot_product_attention(labels, key[None, None], value[None, None], scale=1.0)[
                0, 0
            ]
            for key, value in notes
        ]


def attention_weights(queries: Tensor, keys: Tensor) -> Tensor:
    """Return where some labels look in one note: weights [l, T], of which each row sums to 1.

    The scores of :func:`label_attention`, in full; for a few labels at a time.

    Args:
        queries: [l, k], of the labels asked for.
        keys: [T, k], of the note's tokens.
    """
    return torch.softmax(wide(queries) @ wide(keys).T, dim=-1)
