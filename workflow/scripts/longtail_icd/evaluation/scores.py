"""Score files: logits with the note ids and the label list that they belong to."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
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


def _map_tensor(path: Path, name: str) -> np.ndarray:
    """Map a tensor of a valid safetensors file: 8 bytes of header length, header, data."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))[name]
    if header["dtype"] != "F32":
        raise UserError(f"{path}: logits are {header['dtype']}, not F32; run predict_codes again")
    shape = tuple(header["shape"])
    if 0 in shape:
        return np.empty(shape, dtype=np.float32)
    offset = 8 + length + header["data_offsets"][0]
    return np.memmap(path, dtype="<f4", mode="r", offset=offset, shape=shape)


def read_scores(path: str | Path) -> Scores:
    """Open a score file; its logits are memory-mapped, not read.

    Raises:
        UserError: the file is missing, broken or not a score file, its ids do not fit its logits,
            or a logit is not finite.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="numpy") as file:  # checks header and length
            metadata = file.metadata() or {}
        note_ids, codes = (json.loads(metadata[key]) for key in ("note_ids", "codes"))
        logits = _map_tensor(path, "logits")
    except (OSError, SafetensorError, KeyError, json.JSONDecodeError):
        raise UserError(
            f"{path}: not a readable score file; rule predict_codes writes it"
        ) from None
    if logits.shape != (len(note_ids), len(codes)):
        raise UserError(
            f"{path}: logits {logits.shape} of {len(note_ids)} notes and {len(codes)} codes; "
            "run `snakemake -R predict_codes`"
        )
    if logits.size and not (np.isfinite(logits.min()) and np.isfinite(logits.max())):
        raise UserError(f"{path}: a logit is not finite; run `snakemake -R predict_codes`")
    return Scores(logits, note_ids, codes)
