"""Scores of a trained coder for tokenised notes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch

from longtail_icd.common.progress import progress
from longtail_icd.training.attention import Attended, attention_weights
from longtail_icd.training.batches import TokenDataset, concatenate
from longtail_icd.training.model_folder import load_model, read_labels


@dataclass(frozen=True)
class Reading:
    """What a coder makes of a batch of notes.

    Attributes:
        logits: float32 [notes, codes].
        attended: what the label attention looked at.
    """

    logits: np.ndarray
    attended: Attended

    @torch.inference_mode()
    def attention(self, note: int, labels: np.ndarray) -> np.ndarray:
        """Return where some labels looked in a note: float32 [labels, tokens]."""
        queries, keys, _, lengths = self.attended
        start = sum(lengths[:note])
        own = keys[start : start + lengths[note]]
        rows = torch.from_numpy(labels).to(queries.device)
        return attention_weights(queries[rows], own).float().cpu().numpy()


class Predictor:
    """A trained coder, ready to score notes; on the GPU if there is one.

    Args:
        folder: its model folder; see :func:`~longtail_icd.training.model_folder.load_model`.

    Attributes:
        codes: in label order.
        tokenizer: its encoder's.
    """

    def __init__(self, folder: Path):
        self.codes = read_labels(folder)
        model, self.tokenizer = load_model(folder)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.to(self._device).eval()

    @torch.inference_mode()
    def read(self, notes: list[np.ndarray]) -> Reading:
        """Return the logits of one batch of notes' token ids, and what their labels look at."""
        ids, lengths = concatenate(notes)
        attended = self._model.attended(ids.to(self._device), lengths)
        logits = self._model.score(self._model.seen(attended))
        return Reading(logits.float().cpu().numpy(), attended)

    def logits(self, notes: list[np.ndarray]) -> np.ndarray:
        """Return float32 logits [notes, codes] of one batch of notes' token ids."""
        return self.read(notes).logits


def predict(model_dir: Path, tokens: pl.DataFrame, batch_size: int) -> np.ndarray:
    """Return float32 logits [notes, codes] in the rows' order; batches are sorted by length."""
    predictor = Predictor(model_dir)
    notes = TokenDataset(tokens)
    logits = np.empty((len(notes), len(predictor.codes)), dtype=np.float32)
    order = np.argsort(-notes.lengths.astype(np.int64), kind="stable")
    starts = range(0, len(order), batch_size)
    for start in progress(starts, len(starts), "batches predicted"):
        rows = order[start : start + batch_size]
        logits[rows] = predictor.logits([notes[int(row)]["input_ids"] for row in rows])
    return logits
