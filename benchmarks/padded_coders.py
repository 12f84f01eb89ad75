"""The yardstick of benchmarks/training.py: the models as they are usually written, masks put right.

Every note is padded to the longest, every chunk of the padded batch goes through the encoder, and
the label attention's scores [B, L, T] are made in full. It reads our model's own weights, so that
both must give the same logits and gradients.
"""

import torch
import torch.nn.functional as F
from longtail_icd.training.losses import RDROP, evidence_distance, weighted_bce
from torch.nn.utils.rnn import pad_sequence


def _pad(texts, chunk, pad_id):
    """Return ids and mask [B, T], T the longest text in whole chunks."""
    width = -(-max(map(len, texts)) // chunk) * chunk
    ids = pad_sequence(texts, batch_first=True, padding_value=pad_id)
    ids = F.pad(ids, (0, width - ids.shape[1]), value=pad_id)
    lengths = torch.tensor([len(text) for text in texts], device=ids.device)
    return ids, torch.arange(width, device=ids.device) < lengths[:, None]


def _label_vectors(model, texts):
    """Return [B, L, d]."""
    chunk = model.config.chunk
    ids, mask = _pad(texts, chunk, model.encoder.config.pad_token_id)
    real = mask.view(-1, chunk)
    # A chunk of padding alone has nothing to attend to; its states are masked below.
    real = real | ~real.any(dim=1, keepdim=True)
    states = model.encoder(input_ids=ids.view(-1, chunk), attention_mask=real.long())
    hidden = states.last_hidden_state.reshape(*ids.shape, -1)
    if hasattr(model, "first"):
        keys, values = torch.tanh(model.first(hidden)), hidden
    else:
        keys, values = model.keys(hidden), model.values(hidden)
    with torch.autocast(ids.device.type, enabled=False):
        scores = model.queries @ keys.float().transpose(1, 2)
        weights = scores.masked_fill(~mask[:, None], float("-inf")).softmax(dim=2)
        vectors = weights @ values.float()
    return vectors if hasattr(model, "first") else model.norm(vectors)


def padded_step(model, notes, targets, guidelines=None):
    """Return loss and logits of a training step of ``model``; notes and guidelines are tensors."""
    passes = [notes]
    twice = guidelines is not None and model.rdrop_active
    if twice:
        passes.append(notes)
    if guidelines is not None:
        passes.append(guidelines)
    vectors = _label_vectors(model, [text for texts in passes for text in texts])
    logits = ((vectors * model.classifier).sum(dim=-1) + model.bias).split(len(notes))
    losses = [weighted_bce(one, targets, None) for one in logits]
    loss = sum(losses[: 1 + twice]) / (1 + twice)
    if guidelines is not None:
        loss = (loss + losses[-1]) / 2
        if twice:
            term = RDROP[model.config.rdrop_kind](logits[0], logits[1])
            loss = loss + model.config.rdrop_alpha * term
        if model.config.similarity_lambda:
            distance = evidence_distance(vectors[: len(notes)], vectors[-len(notes) :], targets)
            loss = loss + model.config.similarity_lambda * distance
    return loss, logits[0]
