"""Score files: logits with the note ids and the label list that they belong to."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_path


@dataclass(frozen=True)
class Scores:
    """Logits float32 [notes, codes] with the ids of rows and columns."""

    logits: np.ndarray
    note_ids: list[str]
    codes: list[str]


def write_scores(scores: Scores, path: str | Path) -> None:
    """Write logits (never probabilities) as safetensors, ids in its metadata."""
    metadata = {"note_ids": json.dumps(scores.note_ids), "codes": json.dumps(scores.codes)}
    with atomic_path(path) as temporary:
        save_file({"logits": scores.logits.astype(np.float32)}, temporary, metadata=metadata)


def read_scores(path: str | Path) -> Scores:
    """Read a score file.

    Raises:
        UserError: the file is missing or broken.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata()
            logits = file.get_tensor("logits")
    except (OSError, SafetensorError):
        raise UserError(
            f"{path}: not a readable score file; rule predict_codes writes it"
        ) from None
    return Scores(logits, json.loads(metadata["note_ids"]), json.loads(metadata["codes"]))


def gold_matrix(labels: pl.DataFrame, scores: Scores) -> tuple[np.ndarray, int]:
    """Align gold labels to a score file by note id and code, never by order.

    Returns:
        Boolean [notes, codes], and how many labels lie outside the label space.

    Raises:
        UserError: a labelled note has no scores.
    """
    rows = pl.DataFrame({"note_id": scores.note_ids}).with_row_index("row")
    columns = pl.DataFrame({"code": scores.codes}).with_row_index("column")
    placed = labels.join(rows, on="note_id", how="left").join(columns, on="code", how="left")
    if placed["row"].null_count():
        raise UserError(
            "labels and scores are of different notes; run `snakemake -R predict_codes`"
        )
    inside = placed.drop_nulls("column")
    gold = np.zeros(scores.logits.shape, dtype=bool)
    gold[inside["row"].to_numpy(), inside["column"].to_numpy()] = True
    return gold, placed.height - inside.height
