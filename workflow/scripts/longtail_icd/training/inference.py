"""Scores of a trained coder for tokenised notes."""

from pathlib import Path

import numpy as np
import polars as pl
import torch

from longtail_icd.common.progress import progress
from longtail_icd.training.batches import TokenDataset, concatenate
from longtail_icd.training.model_folder import load_model


@torch.inference_mode()
def predict(model_dir: Path, tokens: pl.DataFrame, batch_size: int) -> np.ndarray:
    """Return float32 logits [notes, codes] in the rows' order; batches are sorted by length."""
    model, _ = load_model(model_dir)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = model.to(device).eval()
    notes = TokenDataset(tokens)
    logits = np.empty((len(notes), model.config.labels), dtype=np.float32)
    order = np.argsort(-notes.lengths.astype(np.int64), kind="stable")
    starts = range(0, len(order), batch_size)
    for start in progress(starts, len(starts), "batches predicted"):
        rows = order[start : start + batch_size]
        ids, lengths = concatenate([notes[int(row)]["input_ids"] for row in rows])
        logits[rows] = model(ids.to(device), lengths).logits.float().cpu().numpy()
    return logits
