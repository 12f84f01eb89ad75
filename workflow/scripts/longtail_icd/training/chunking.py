"""A long note through a short encoder: in chunks, and no padded chunk is ever encoded."""

import numpy as np
import torch
from torch import Tensor, nn

# Partly filled chunks are encoded in this many groups of similar lengths.
WIDTHS = 4


def chunk_spans(lengths: list[int], chunk: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where each chunk starts among the tokens of all notes, and its length.

    Before: notes of 5 and 2 tokens, chunks of 4. After: starts 0, 4, 5; lengths 4, 1, 2.
    """
    note_ends = np.cumsum(lengths)
    starts = np.concatenate(
        [
            np.arange(end - length, end, chunk)
            for end, length in zip(note_ends, lengths, strict=True)
        ]
    )
    return starts, np.diff(starts, append=note_ends[-1])


def _groups(filled: np.ndarray, chunk: int) -> list[np.ndarray]:
    """Group chunks to encode together: the full ones, and the others by length."""
    group = np.where(filled == chunk, WIDTHS, (filled - 1) * WIDTHS // chunk)
    return [np.flatnonzero(group == one) for one in np.unique(group)[::-1]]


def encode_chunks(encoder: nn.Module, input_ids: Tensor, lengths: list[int], chunk: int) -> Tensor:
    """Encode notes chunk by chunk; positions restart in each chunk.

    Full chunks go through the encoder together, without a mask; the last, partly filled ones in
    groups of similar lengths. Padding within a group is masked, so a note's states do not depend
    on the notes beside it.

    Args:
        encoder: any encoder with ``last_hidden_state``.
        input_ids: [N], the tokens of all notes one after another.
        lengths: tokens of each note, at least one; N in all.
        chunk: tokens the encoder sees at once.

    Returns:
        Hidden states [N, d] in the order of the tokens.
    """
    starts, filled = chunk_spans(lengths, chunk)
    pad_id = encoder.config.pad_token_id or 0
    states, tokens, places, rows = [], [], [], 0
    for chosen in _groups(filled, chunk):
        offsets = np.arange(filled[chosen].max())
        real = offsets < filled[chosen, None]
        positions = np.where(real, starts[chosen, None] + offsets, 0)
        ids = input_ids[torch.from_numpy(positions).to(input_ids.device)]
        mask = None
        if not real.all():
            mask = torch.from_numpy(real).to(input_ids.device)
            ids = ids.masked_fill(~mask, pad_id)
            mask = mask.long()
        encoded = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        states.append(encoded.flatten(0, 1))
        tokens.append(positions[real])
        places.append(rows + np.flatnonzero(real))
        rows += real.size
    order = np.empty(len(input_ids), dtype=np.int64)
    order[np.concatenate(tokens)] = np.concatenate(places)
    return torch.cat(states).index_select(0, torch.from_numpy(order).to(input_ids.device))


def encode_padded(
    encoder: nn.Module, input_ids: Tensor, lengths: list[int], chunk: int, encodes_padding: bool
) -> tuple[Tensor, list[int]]:
    """Encode notes as published: padding has states, and the label attention will see them.

    Every note is padded to whole chunks and to the longest of the batch; the encoder masks padding
    beside tokens. Chunks of padding alone are encoded where ``encodes_padding`` (PLM-ICD; their
    tokens, all alike to RoBERTa, attend to each other), else their states are zeros (GKI-ICD).

    Returns:
        Hidden states [B · T, d], T the padded length of every note, and T for each note.
    """
    width = -(-max(lengths) // chunk) * chunk
    device = input_ids.device
    real = torch.arange(width, device=device) < torch.tensor(lengths, device=device)[:, None]
    ids = torch.full(real.shape, encoder.config.pad_token_id or 0, device=device)
    ids = ids.masked_scatter(real, input_ids).view(-1, chunk)
    real = real.view(-1, chunk)
    filled = real.any(dim=1)
    if encodes_padding:
        real, filled = real | ~filled[:, None], torch.ones_like(filled)
    states = encoder(input_ids=ids[filled], attention_mask=real[filled].long()).last_hidden_state
    padded = states.new_zeros(len(ids), chunk, states.shape[-1])
    padded[filled] = states
    return padded.flatten(0, 1), [width] * len(lengths)
