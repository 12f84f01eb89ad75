"""Dropout on a CPU, where torch takes a tenth of a training step to draw its masks."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

ATTENTION = "sdpa_with_cpu_dropout"


def kept(shape: torch.Size, p: float) -> Tensor:
    """Return a mask that is false with chance ``p``, to 1 in 65,536: sixteen random bits each.

    The bits are SFC64's, whose seed torch's generator draws: a training that is resumed with its
    state draws the same masks.
    """
    count = math.prod(shape)
    seed = int(torch.randint(2**62, ()))
    bits = np.random.SFC64(seed).random_raw(-(-count // 4)).view(np.uint16)[:count]
    return torch.from_numpy(bits >= round(p * 2**16)).view(shape)


class CpuDropout(nn.Dropout):
    """Dropout as torch's, but for what draws the mask on a CPU."""

    def forward(self, states: Tensor) -> Tensor:
        """Drop and scale, in training."""
        if not self.training or self.p == 0 or states.device.type != "cpu":
            return super().forward(states)
        return states * kept(states.shape, self.p) * (1 / (1 - self.p))


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attend as transformers' own function does; with dropout on a CPU nothing there is fused.

    Shapes: query, key, value [B, heads, T, d]; attention_mask [B, 1, T, T], true for what is seen.
    """
    if dropout == 0 or query.device.type != "cpu":
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = (query * scale) @ key.transpose(2, 3)
    if attention_mask is not None:
        scores = scores.masked_fill(~attention_mask, float("-inf"))
    weights = scores.softmax(dim=-1)
    states = (weights * kept(weights.shape, dropout)) @ (value * (1 / (1 - dropout)))
    return states.transpose(1, 2).contiguous(), None


ALL_ATTENTION_FUNCTIONS.register(ATTENTION, _attention)
ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])


def use_cpu_dropout(encoder: PreTrainedModel) -> None:
    """Exchange every dropout of ``encoder``, that of its attention too."""
    for module in list(encoder.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, CpuDropout(child.p))
    encoder.set_attn_implementation(ATTENTION)
