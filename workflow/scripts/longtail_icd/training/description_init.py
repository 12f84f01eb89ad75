"""What labels look for before any training: what their codes' titles say."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from longtail_icd.training.batches import TokenDataset, concatenate
from longtail_icd.training.chunking import encode_chunks
from longtail_icd.training.plm_ca import PlmCa
from longtail_icd.training.tokenization import token_ids

TITLES = 256  # encoded at a time
EXAMPLES = 64  # real train notes that show how token states lie and what logits are usual
# How much higher a label scores a token whose state is its title's than an average one, and how
# much higher its logit is if it saw nothing else. Chosen on CodiEsp's dev notes, where half the
# sharpness did as well and twice did worse.
SHARPNESS = 6.0
SPREAD = 20.0
# The prior is found by halving: how far a bias may move at most, and how often.
WIDEST, HALVINGS = 100.0, 30


def initialise_labels(
    model: PreTrainedModel,
    titles: list[str],
    tokenizer: PreTrainedTokenizerBase,
    settings: dict[str, Any],
    notes: TokenDataset,
    real: int,
) -> None:
    """Set what the labels of a new model look for, if it starts from titles.

    Args:
        model: PLM-ICD, whose labels start from random numbers, is left as it is.
        titles: every label's title, in label order.
        tokenizer: the encoder's.
        settings: the model's block of the configuration. ``description_init``: ``none``;
            ``published``; ``aligned``.
        notes: the train set, its real notes first.
        real: number of the real ones.
    """
    if not isinstance(model, PlmCa) or settings["description_init"] == "none":
        return
    length = min(settings["description_tokens"], model.config.chunk)
    titled = token_ids(titles, tokenizer, length)
    tokens = [torch.tensor(ids, device=model.device) for ids in titled]
    training = model.training
    model.eval()
    if settings["description_init"] == "published":
        initialise_as_published(model, tokens, length)
    else:
        chosen = np.linspace(0, real - 1, min(real, EXAMPLES)).astype(int)
        examples = [notes[int(row)]["input_ids"] for row in chosen]
        align_with_titles(model, tokens, examples)
        set_prior(model, examples, label_shares(notes, len(titles)))
    model.train(training)


def _on_device(model: PlmCa, examples: list[np.ndarray]) -> tuple[Tensor, list[int]]:
    """Return the tokens of some notes one after another, where the model is, and their lengths."""
    ids, lengths = concatenate(examples)
    return ids.to(model.device), lengths


def _in_parts(titles: list[Tensor]) -> Iterator[tuple[Tensor, list[int]]]:
    """Yield the tokens of a few hundred titles at a time, one after another, and their lengths."""
    for start in range(0, len(titles), TITLES):
        part = titles[start : start + TITLES]
        yield torch.cat(part), [len(title) for title in part]


@torch.no_grad()
def initialise_as_published(model: PlmCa, titles: list[Tensor], length: int) -> None:
    """Set queries and classifier to the max-pooled encoding of each code's title, as GKI-ICD.

    Keys and values stay random, so that nothing is found by them before they are trained.

    Args:
        model: in evaluation mode.
        titles: the tokens of each label's title, in label order.
        length: tokens a title has at most. Without masks, titles are padded to it and their
            padding takes part in the pool.
    """
    pooled = []
    for ids, lengths in _in_parts(titles):
        states, padded = model.encode(ids, lengths, length)
        pooled += [title.amax(dim=0) for title in states.split(padded)]
    pooled = torch.stack(pooled)
    model.queries.copy_(pooled)
    model.classifier.copy_(pooled)


@torch.no_grad()
def align_with_titles(model: PlmCa, titles: list[Tensor], examples: list[np.ndarray]) -> None:
    """Let every label look for tokens like its title's, and compare with it what it saw.

    With t the mean state of a title's tokens (marks aside) and m that of the examples' tokens:
    query t - m, keys and values the identity, values less m, classifier the query's direction.
    Our own; an untrained model then ranks codes by what their titles have in common with a note.

    Args:
        model: in evaluation mode.
        titles: the tokens of each label's title, in label order, marks included.
        examples: tokens of some notes.
    """
    chunk = model.config.chunk
    states = encode_chunks(model.encoder, *_on_device(model, examples), chunk)
    middle = states.mean(dim=0)
    queries = []
    for ids, lengths in _in_parts(titles):
        titled = encode_chunks(model.encoder, ids, lengths, chunk).split(lengths)
        queries += [(one[1:-1] if len(one) > 2 else one).mean(dim=0) for one in titled]
    queries = torch.stack(queries) - middle
    norms = queries.norm(dim=1).mean() * (states - middle).norm(dim=1).mean()
    identity = torch.eye(len(middle), device=middle.device)
    model.queries.copy_(queries)
    model.keys.weight.copy_(SHARPNESS / norms * identity)
    model.values.weight.copy_(identity)
    model.values.bias.copy_(-middle)
    # What a label saw is normalised to a length of sqrt(d).
    model.classifier.copy_(SPREAD / math.sqrt(len(middle)) * F.normalize(queries, dim=1))


@torch.no_grad()
def set_prior(model: PlmCa, examples: list[np.ndarray], shares: Tensor) -> None:
    """Set each label's bias so that its mean probability over the examples is its share.

    Of the mean logit that would not do: logits of a standard deviation of 2 make the mean
    probability nine times too high, and the first steps would do nothing but bring it down.

    Args:
        model: in evaluation mode.
        examples: tokens of some notes.
        shares: of the train notes that have the label, [L], between 0 and 1.
    """
    logits = torch.cat([model(*_on_device(model, [note])).logits for note in examples])
    shares = shares.to(logits.device)
    low, high = torch.full_like(shares, -WIDEST), torch.full_like(shares, WIDEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = torch.sigmoid(logits + middle).mean(dim=0) > shares
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    model.bias.add_((low + high) / 2)


def label_shares(notes: TokenDataset, labels: int) -> Tensor:
    """Return the share of the notes that have each label [L], never 0: half a note is added."""
    ids = notes.tokens["label_ids"].explode().drop_nulls().to_numpy()
    counts = np.bincount(ids, minlength=labels)
    return torch.from_numpy((counts + 0.5) / (len(notes) + 1)).float()
