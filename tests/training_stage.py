"""The smallest training that has everything: guidelines, R-Drop, dropout, a broken last epoch."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import torch
from longtail_icd.training.batches import Collator, TokenDataset
from longtail_icd.training.build import build_model
from longtail_icd.training.encoder import prepare_encoder
from longtail_icd.training.guideline import Guidelines
from longtail_icd.training.trainer import Trained, TrainNotes, train
from transformers import AutoTokenizer, PreTrainedModel

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
CODES = ["001.0", "002.0", "003.0"]
LABELS = pl.DataFrame({"version": "icd9cm", "code": CODES})
TITLES = ["cholera", "typhoid", "salmonella"]
CHUNK = 16
SEED = 3
SETTINGS = {
    "epochs": 3,
    "learning_rate": 1e-3,
    "warmup_ratio": 0.1,
    "weight_decay": 0.0,
    "batch_size": 4,
    "micro_batch": None,
    "devices": 1,
    "gradient_clip": 1.0,
    "precision": "fp32",
    "select_on": "map",
    "early_stopping": None,
    "description_init": True,
    "description_tokens": 8,
    "guideline": True,
    "rdrop_alpha": 1.0,
    "rdrop_kind": "softmax",
    "similarity_lambda": 0.5,
}
ENCODER = {
    "source": "scratch",
    "vocabulary": 300,
    "hidden_size": 16,
    "layers": 1,
    "heads": 2,
    "seed": 1,
}


def make_encoder(folder: Path) -> Path:
    prepare_encoder(TITLES * 3, ENCODER, CHUNK, folder / "encoder")
    return folder / "encoder"


def make_tokens(rows: int = 10) -> pl.DataFrame:
    """Return notes of 8, 9, 10 … tokens, each with one of the three codes."""
    generator = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "note_id": [str(row) for row in range(rows)],
            "input_ids": [generator.integers(5, 200, 8 + row).tolist() for row in range(rows)],
            "label_ids": [[row % 3] for row in range(rows)],
            "anchor_id": [None] * rows,
        },
        schema_overrides={
            "input_ids": pl.List(pl.Int32),
            "label_ids": pl.List(pl.Int32),
            "anchor_id": pl.Int32,
        },
    )


def make_notes(rows: int = 10, weights: np.ndarray | None = None) -> TokenDataset:
    tokens = make_tokens(rows).with_columns(
        guideline_labels="label_ids", masked_ids=pl.lit([], dtype=pl.List(pl.Int32))
    )
    return TokenDataset(tokens, weights)


def make_guidelines() -> Guidelines:
    taxonomy = LABELS.with_columns(
        title=pl.Series(TITLES), chapter=pl.lit("c"), block=pl.lit("b"), category="code"
    )
    synonyms = pl.DataFrame(
        {"version": "icd9cm", "code": ["001.0"] * 3, "synonym": ["vibrio", "el tor", "rice water"]}
    )
    return Guidelines(LABELS, TITLES, taxonomy, synonyms)


def make_model(encoder: Path, kind: str, settings: dict = SETTINGS) -> PreTrainedModel:
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    return build_model(kind, str(encoder), tokenizer, TITLES, settings, CHUNK, SEED)


def make_collator(encoder: Path, kind: str) -> Collator:
    guidelines = make_guidelines() if kind == "gki_icd" else None
    return Collator(3, CHUNK, AutoTokenizer.from_pretrained(encoder), guidelines, SEED)


def run_training(
    encoder: Path,
    checkpoints: Path,
    settings: dict = SETTINGS,
    kind: str = "gki_icd",
    steps: int = 8,
    save_steps: int | None = None,
    notes: TokenDataset | None = None,
    order: str = "concatenate",
) -> tuple[PreTrainedModel, Trained]:
    """Train on ten notes: three steps an epoch, so that eight break the third epoch off."""
    torch.set_num_threads(1)
    model = make_model(encoder, kind, settings)
    train_notes = TrainNotes(notes or make_notes(), real=6, order=order, steps=steps)
    dev = TokenDataset(make_tokens(6))
    collator = make_collator(encoder, kind)
    return model, train(model, train_notes, dev, collator, settings, SEED, checkpoints, save_steps)


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run code in a process of its own that finds the package and this module."""
    paths = [str(SCRIPTS), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
