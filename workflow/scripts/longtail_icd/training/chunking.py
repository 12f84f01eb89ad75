"""A long note through a short encoder: in chunks, without padding ever being seen."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def encode_chunks(
    encoder: nn.Module, input_ids: Tensor, mask: Tensor, chunk: int
) -> tuple[Tensor, Tensor]:
    """Encode notes chunk by chunk; positions restart in each chunk.

    Full chunks go through the encoder together and so do the last, partly filled ones, cut to the
    longest of them; chunks without a token are never encoded. Padding that remains is masked, so a
    note's states do not depend on its neighbours in the batch.

    Args:
        encoder: any encoder with ``last_hidden_state``.
        input_ids: [B, T], T a multiple of ``chunk``, padded on the right.
        mask: [B, T], true for tokens; every note has at least one.
        chunk: tokens the encoder sees at once.

    Returns:
        Hidden states [B, t, d] and their mask [B, t], t the longest note of the batch.
    """
    notes, length = input_ids.shape
    ids, real = input_ids.view(-1, chunk), mask.view(-1, chunk)
    filled = real.sum(dim=1)
    hidden = None
    for chosen in (filled == chunk, (filled > 0) & (filled < chunk)):
        rows = chosen.nonzero().squeeze(1)
        if len(rows) == 0:
            continue
        width = int(filled[rows].max())
        states = encoder(
            input_ids=ids[rows, :width], attention_mask=real[rows, :width].long()
        ).last_hidden_state
        if hidden is None:
            hidden = states.new_zeros(len(ids), chunk, states.shape[-1])
        hidden = hidden.index_copy(0, rows, F.pad(states, (0, 0, 0, chunk - width)))
    longest = int(mask.sum(dim=1).max())
    return hidden.view(notes, length, -1)[:, :longest], mask[:, :longest]


def label_attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """Let every label look at the tokens of a note: softmax over tokens, unscaled, in fp32.

    The fused kernel never holds the scores [B, L, T]: with thousands of labels and tokens they
    would be the largest tensors of the model. Half precision is switched off here, whatever the
    rest runs in: overflowing scores are what makes these models collapse.

    Args:
        queries: [L, k], one per label.
        keys: [B, T, k].
        values: [B, T, d].
        mask: [B, T], true for tokens; others get no weight.

    Returns:
        [B, L, d]
    """
    with torch.autocast(keys.device.type, enabled=False):
        return F.scaled_dot_product_attention(
            queries.float().expand(len(keys), 1, -1, -1),
            keys.float().unsqueeze(1),
            values.float().unsqueeze(1),
            attn_mask=mask[:, None, None, :],
            scale=1.0,
        ).squeeze(1)
