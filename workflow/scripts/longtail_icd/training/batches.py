"""Tokenised notes as batches: grouped by length, their tokens one after another, targets dense."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from torch.utils.data import Dataset, Sampler
from transformers import PreTrainedTokenizerBase

from longtail_icd.training.guideline import Guidelines
from longtail_icd.training.tokenization import token_ids


class TokenDataset(Dataset):
    """Rows of training/tokens, each read from the (memory-mapped) table when it is asked for.

    ``weights`` are the notes' in the loss. Notes to train on have ``guideline_labels`` and
    ``masked_ids`` too (see :func:`~longtail_icd.training.train_set.assemble`); notes to predict
    have neither guideline nor mask.

    An index from ``len(notes)`` on is a blank: a copy that counts for nothing. A sampler fills the
    last batch up with them where several devices must get as many notes each.
    """

    def __init__(self, tokens: pl.DataFrame, weights: np.ndarray | None = None):
        self.tokens = tokens
        self.weights = np.ones(tokens.height) if weights is None else weights
        self.lengths = tokens["input_ids"].list.len().to_numpy()
        lists = ["input_ids", "label_ids"]
        if "guideline_labels" in tokens.columns:
            lists.append("guideline_labels")
        if "masked_ids" in tokens.columns and tokens["masked_ids"].list.len().sum():
            lists.append("masked_ids")
        self._columns = {name: tokens[name] for name in lists}

    def __len__(self) -> int:
        return self.tokens.height

    def __getitem__(self, index: int) -> dict[str, Any]:
        blank, index = divmod(index, len(self))
        lists = {name: column[index].to_numpy() for name, column in self._columns.items()}
        return {"index": index, "weight": 0.0 if blank else self.weights[index], **lists}


class LengthGroupedSampler(Sampler):
    """A new seeded order each epoch in which neighbours have similar lengths; no note is lost.

    Args:
        lengths: of the notes, in tokens.
        batch_size: notes of one optimizer step; only the last batch of an epoch may be shorter.
        seed: of the orders.
        group: batches among which notes are exchanged so that neighbours have similar lengths.
        visits: gives the notes of an epoch, as many as there are notes; default: each note once.
        multiple: the last batch is filled up to a multiple of this with blanks (see TokenDataset).
    """

    def __init__(
        self,
        lengths: np.ndarray,
        batch_size: int,
        seed: int,
        group: int = 20,
        visits: Callable[[int], np.ndarray] | None = None,
        multiple: int = 1,
    ):
        self.lengths = lengths.astype(np.int64)
        self.batch_size = batch_size
        self.seed = seed
        self.group = group
        self.visits = visits
        self.blanks = -len(lengths) % multiple
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.lengths) + self.blanks

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of this epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng((self.seed, self.epoch))
        order = generator.permutation(len(self.lengths))
        if self.visits is not None:
            order = self.visits(self.epoch)[order]
        span = self.batch_size * self.group
        batches = []
        for start in range(0, len(order), span):
            part = order[start : start + span]
            part = part[np.argsort(-self.lengths[part], kind="stable")]
            batches += [part[i : i + self.batch_size] for i in range(0, len(part), self.batch_size)]
        # A short batch goes last: elsewhere it would shift its followers' borders.
        short = [batch for batch in batches if len(batch) < self.batch_size]
        full = [batch for batch in batches if len(batch) == self.batch_size]
        generator.shuffle(full)
        yield from (int(index) for batch in [*full, *short] for index in batch)
        yield from range(len(self.lengths), len(self))


class TokenBudgetSampler(Sampler):
    """Batches of notes of similar lengths and of about as many tokens; no note is lost.

    Every epoch has the same number of batches. Lengths are blurred by up to a quarter before notes
    are put in order, so that others meet in each epoch.

    Args:
        lengths: of the notes, in tokens.
        budget: tokens of a batch at most; three times the longest note at least, so that every
            batch has a note.
        seed: of the orders.
    """

    def __init__(self, lengths: np.ndarray, budget: int, seed: int):
        self.lengths = lengths.astype(np.int64)
        self.seed = seed
        self.epoch = 0
        # A batch may hold all but half of its first and its last note beyond its equal share.
        self.batches = math.ceil(self.lengths.sum() / (budget - self.lengths.max()))

    def __len__(self) -> int:
        return self.batches

    def set_epoch(self, epoch: int) -> None:
        """Choose the batches of this epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng((self.seed, self.epoch))
        blurred = self.lengths * generator.uniform(0.8, 1.25, len(self.lengths))
        order = np.argsort(-blurred, kind="stable")
        ends = np.cumsum(self.lengths[order])
        middles = ends - self.lengths[order] / 2
        borders = np.arange(1, self.batches) * ends[-1] / self.batches
        batches = np.split(order, np.searchsorted(middles, borders))
        generator.shuffle(batches)
        yield from (batch.tolist() for batch in batches)


def number_of_steps(lengths: np.ndarray, settings: dict[str, Any]) -> int:
    """Return the optimizer steps of all epochs; a short batch is a step.

    Args:
        lengths: of the notes, in tokens.
        settings: a model's block of the configuration.
    """
    batches = math.ceil(len(lengths) / settings["batch_size"])
    if settings["batch_tokens"] is not None and len(lengths):
        batches = len(TokenBudgetSampler(lengths, settings["batch_tokens"], seed=0))
    return math.ceil(batches * settings["epochs"])


def concatenate(sequences: list[np.ndarray]) -> tuple[torch.Tensor, list[int]]:
    """Return the tokens of all sequences [N] one after another, and each one's length.

    The lengths stay a list: the model plans its work by them, on the host.
    """
    ids = torch.from_numpy(np.concatenate(sequences).astype(np.int64))
    return ids, [len(sequence) for sequence in sequences]


@dataclass
class Collator:
    """Turns notes into a model's inputs; draws guidelines anew in each epoch if it has any."""

    labels: int
    tokenizer: PreTrainedTokenizerBase
    guidelines: Guidelines | None = None
    seed: int = 0
    epoch: int = 0
    max_length: int = 512

    def _guideline_ids(self, notes: list[dict]) -> list[list[int]]:
        """Draw and tokenise the notes' guidelines: other ones each epoch, the same in a rerun."""
        texts = [
            self.guidelines.text(
                note["guideline_labels"], random.Random(f"{self.seed}/{self.epoch}/{note['index']}")
            )
            for note in notes
        ]
        return token_ids(texts, self.tokenizer, self.max_length)

    def __call__(self, notes: list[dict]) -> dict[str, Any]:
        """Return targets [B, L], weights [B], input_ids [N] with lengths, and what else there is.

        That is label_mask [B, L], false for a note's masked labels, and guideline_ids [n] with
        guideline_lengths. Targets come first: by them the Trainer tells the batch's size.
        """
        targets = np.zeros((len(notes), self.labels), dtype=np.float32)
        for row, note in enumerate(notes):
            targets[row, note["label_ids"]] = 1.0
        input_ids, lengths = concatenate([note["input_ids"] for note in notes])
        batch = {
            "targets": torch.from_numpy(targets),
            "weights": torch.tensor([note["weight"] for note in notes], dtype=torch.float32),
            "input_ids": input_ids,
            "lengths": lengths,
        }
        if "masked_ids" in notes[0]:
            label_mask = np.ones(targets.shape, dtype=bool)
            for row, note in enumerate(notes):
                label_mask[row, note["masked_ids"]] = False
            batch["label_mask"] = torch.from_numpy(label_mask)
        if self.guidelines is not None and "guideline_labels" in notes[0]:
            ids, lengths = concatenate(self._guideline_ids(notes))
            batch |= {"guideline_ids": ids, "guideline_lengths": lengths}
        return batch
