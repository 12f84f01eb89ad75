"""Tokenised notes as batches: grouped by length, padded to whole chunks, targets made dense."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from torch.utils.data import Dataset, Sampler
from transformers import PreTrainedTokenizerBase

from longtail_icd.training.guideline import Guidelines
from longtail_icd.training.tokenization import token_ids


class TokenDataset(Dataset):
    """Rows of training/tokens, lists turned into arrays once.

    ``weights`` are the notes' in the loss. Notes to train on have ``guideline_labels`` and
    ``masked_ids`` too (see :func:`~longtail_icd.training.train_set.assemble`); notes to predict
    have neither guideline nor mask.

    An index from ``len(notes)`` on is a blank: a copy that counts for nothing. A sampler fills the
    last batch up with them where several devices must get as many notes each.
    """

    def __init__(self, tokens: pl.DataFrame, weights: np.ndarray | None = None):
        guided = "guideline_labels" in tokens.columns
        self.guideline_labels = tokens["guideline_labels"].to_list() if guided else None
        self.input_ids = [ids.to_numpy() for ids in tokens["input_ids"]]
        self.label_ids = tokens["label_ids"].to_list()
        masked = "masked_ids" in tokens.columns and tokens["masked_ids"].list.len().sum()
        self.masked_ids = tokens["masked_ids"].to_list() if masked else None
        self.weights = np.ones(tokens.height) if weights is None else weights
        self.lengths = np.array([len(ids) for ids in self.input_ids])

    def __len__(self) -> int:
        return len(self.input_ids)

    def __getitem__(self, index: int) -> dict:
        blank, index = divmod(index, len(self))
        return {
            "index": index,
            "input_ids": self.input_ids[index],
            "label_ids": self.label_ids[index],
            "weight": 0.0 if blank else self.weights[index],
            "guideline_labels": self.guideline_labels and self.guideline_labels[index],
            "masked_ids": self.masked_ids and self.masked_ids[index],
        }


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
        self.lengths = lengths
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


def pad(
    sequences: Sequence[np.ndarray | list[int]], multiple: int, pad_id: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask [B, T]: T is the longest length, rounded up to a ``multiple``."""
    longest = max(len(ids) for ids in sequences)
    length = -(-longest // multiple) * multiple
    ids = np.full((len(sequences), length), pad_id, dtype=np.int64)
    mask = np.zeros((len(sequences), length), dtype=bool)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = True
    return torch.from_numpy(ids), torch.from_numpy(mask)


@dataclass
class Collator:
    """Turns notes into a model's inputs; draws guidelines anew in each epoch if it has any."""

    labels: int
    chunk: int
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

    def __call__(self, notes: list[dict]) -> dict[str, torch.Tensor]:
        """Return input_ids and mask [B, T], targets [B, L], weights [B], and what else there is.

        That is label_mask [B, L], false for a note's masked labels, and guidelines [B, t].
        """
        pad_id = self.tokenizer.pad_token_id
        input_ids, mask = pad([note["input_ids"] for note in notes], self.chunk, pad_id)
        targets = torch.zeros(len(notes), self.labels)
        for row, note in enumerate(notes):
            targets[row, note["label_ids"]] = 1.0
        batch = {
            "input_ids": input_ids,
            "mask": mask,
            "targets": targets,
            "weights": torch.tensor([note["weight"] for note in notes], dtype=torch.float32),
        }
        if notes[0]["masked_ids"] is not None:
            batch["label_mask"] = torch.ones(len(notes), self.labels, dtype=torch.bool)
            for row, note in enumerate(notes):
                batch["label_mask"][row, note["masked_ids"]] = False
        if self.guidelines is not None and notes[0]["guideline_labels"] is not None:
            ids, real = pad(self._guideline_ids(notes), self.chunk, pad_id)
            batch |= {"guideline_ids": ids, "guideline_mask": real}
        return batch
