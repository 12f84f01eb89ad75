"""A long note through a short encoder: in chunks, without padding ever being seen."""

import torch
from torch import Tensor, nn


def encode_chunks(encoder: nn.Module, input_ids: Tensor, mask: Tensor, chunk: int) -> Tensor:
    """Encode notes chunk by chunk; positions restart in each chunk.

    Args:
        encoder: any encoder with ``last_hidden_state``.
        input_ids: [B, T], T a multiple of ``chunk``, padded on the right.
        mask: [B, T], true for tokens.
        chunk: tokens the encoder sees at once.

    Returns:
        [B, T, d] hidden states, zero where there is no token. Chunks without a token are never
        encoded, and padding inside a chunk is masked, so a note's states do not depend on its
        neighbours in the batch.
    """
    notes, length = input_ids.shape
    ids, real = input_ids.view(-1, chunk), mask.view(-1, chunk)
    filled = real.any(dim=1)
    states = encoder(input_ids=ids[filled], attention_mask=real[filled].long()).last_hidden_state
    states = states * real[filled].unsqueeze(-1)
    hidden = states.new_zeros(len(ids), chunk, states.shape[-1])
    hidden[filled] = states
    return hidden.view(notes, length, -1)


def label_attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """Let every label look at the tokens of a note: softmax over tokens, unscaled, in fp32.

    Args:
        queries: [L, k], one per label.
        keys: [B, T, k].
        values: [B, T, d].
        mask: [B, T], true for tokens; others get no weight.

    Returns:
        [B, L, d]
    """
    scores = torch.einsum("lk,btk->blt", queries.float(), keys.float())
    weights = scores.masked_fill(~mask.unsqueeze(1), float("-inf")).softmax(dim=-1)
    return torch.bmm(weights, values.float())
