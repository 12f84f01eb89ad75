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
    notes = zip(note_ends, lengths, strict=True)
    starts = np.concatenate([np.arange(end - length, end, chunk) for end, length in notes])
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
        encoder: any of transformers' text encoders.
        input_ids: [N], the tokens of all notes one after another.
        lengths: tokens of each note, at least one; N in all.
        chunk: tokens the encoder sees at once.

    Returns:
        Hidden states [N, d] in the order of the tokens.
    """

    def on_device(plan: np.ndarray) -> Tensor:
        return torch.from_numpy(plan).to(input_ids.device)

    starts, filled = chunk_spans(lengths, chunk)
    # Once for all: each call with ids would make a gradient as large as the vocabulary.
    embedded = encoder.get_input_embeddings()(input_ids)
    states, rows, order = [], 0, np.empty(len(input_ids), dtype=np.int64)
    for chosen in _groups(filled, chunk):
        offsets = np.arange(filled[chosen].max())
        real = offsets < filled[chosen, None]
        positions = np.where(real, starts[chosen, None] + offsets, 0)
        words = embedded.index_select(0, on_device(positions.ravel())).unflatten(0, real.shape)
        mask = None if real.all() else on_device(real).long()
        encoded = encoder(inputs_embeds=words, attention_mask=mask).last_hidden_state
        states.append(encoded.flatten(0, 1))
        order[positions[real]] = rows + np.flatnonzero(real)
        rows += real.size
    return torch.cat(states).index_select(0, on_device(order))


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
