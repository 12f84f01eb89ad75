"""The smallest training that has everything: guidelines, R-Drop, dropout, a broken last epoch."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from longtail_icd.common.config import TRAIN_SET_DEFAULTS
from longtail_icd.common.tables import write_table
from longtail_icd.training.batches import Collator, TokenDataset
from longtail_icd.training.build import build_model
from longtail_icd.training.description_init import initialise_labels
from longtail_icd.training.encoder import prepare_encoder
from longtail_icd.training.guideline import Guidelines
from longtail_icd.training.model_folder import Label
from longtail_icd.training.trainer import Trained, TrainNotes, train
from transformers import AutoTokenizer, PreTrainedModel

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
CODES = ["001.0", "002.0", "003.0"]
LABELS = pl.DataFrame({"version": "icd9cm", "code": CODES})
TITLES = ["cholera", "typhoid", "salmonella"]
TAXONOMY = LABELS.with_columns(
    kind=pl.lit("diagnosis"),
    title=pl.Series(TITLES),
    title_source=pl.lit("test"),
    parent=pl.lit("b"),
    category="code",
    block=pl.lit("b"),
    chapter=pl.lit("c"),
    is_leaf=True,
)
SYNONYMS = pl.DataFrame(
    {
        "version": "icd9cm",
        "code": "001.0",
        "synonym": ["vibrio", "el tor", "rice water"],
        "source": "test",
    }
)
TITLED = [
    Label("icd9cm", code, "diagnosis", title) for code, title in zip(CODES, TITLES, strict=True)
]
CHUNK = 16
SEED = 3
SETTINGS = {
    "epochs": 3,
    "learning_rate": 1e-3,
    "warmup_ratio": 0.1,
    "weight_decay": 0.0,
    "batch_size": 4,
    "micro_batch": None,
    "batch_tokens": None,
    "devices": 1,
    "gradient_clip": 1.0,
    "precision": "fp32",
    "select_on": "map",
    "early_stopping": None,
    "calibrate_unseen": False,
    "description_init": "published",
    "description_tokens": 8,
    "guideline": True,
    "rdrop_alpha": 1.0,
    "rdrop_kind": "softmax",
    "similarity_lambda": 0.5,
}
# The network of a tiny encoder; ENCODER below is a block of the configuration.
NETWORK = {
    "model_type": "roberta",
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 10,
    "type_vocab_size": 1,
    "pad_token_id": 1,
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
    return Guidelines(LABELS, TITLES, TAXONOMY, SYNONYMS)


def make_model(encoder: Path, kind: str, settings: dict = SETTINGS) -> PreTrainedModel:
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = build_model(kind, str(encoder), len(TITLES), settings, CHUNK, SEED)
    initialise_labels(model, TITLES, tokenizer, settings, make_notes(), real=6)
    return model


def make_collator(encoder: Path, kind: str) -> Collator:
    guidelines = make_guidelines() if kind == "gki_icd" else None
    return Collator(3, AutoTokenizer.from_pretrained(encoder), guidelines, SEED)


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


def make_job(folder: Path, kind: str, **changes: Any) -> dict[str, Any]:
    """Write all that a rule `train_{model}` reads, no synthetic notes, and return its job."""
    encoder = make_encoder(folder)
    tiers = TAXONOMY.select("version", "code", "kind", n_train=pl.lit(4, pl.Int64), tier="kind")
    tables = {
        "tiers": ("plan/tiers", tiers),
        "train": ("training/tokens", make_tokens(10)),
        "dev": ("training/tokens", make_tokens(6)),
        "taxonomy": ("terminology/codes", TAXONOMY),
        "synonyms": ("terminology/synonyms", SYNONYMS),
    }
    paths = {}
    for name, (table, frame) in tables.items():
        paths[name] = str(folder / f"{name}.{'arrow' if table == 'training/tokens' else 'parquet'}")
        write_table(frame, paths[name], table)
    synonyms = [paths.pop("synonyms")]
    return {
        "input": {
            **paths,
            "encoder": str(encoder),
            "synonyms": synonyms if kind == "gki_icd" else [],
            **{name: [] for name in ("synthetic", "steps_of", "verdicts", "code_sets")},
        },
        "output": {name: str(folder / "run" / name) for name in ("model", "history")},
        "model": kind,
        "settings": SETTINGS,
        "train_set": TRAIN_SET_DEFAULTS | {"recipes": []},
        "pace": None,
        "text": "raw",
        "chunk": CHUNK,
        "max_length": 32,
        "seed": SEED,
        "code": "0",
        "save_steps": None,
        "threads": 1,
    } | changes


def run_python(*arguments: str) -> subprocess.CompletedProcess:
    """Run Python in a process of its own that finds the package and this module."""
    paths = [str(SCRIPTS), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    changes = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | changes,
        capture_output=True,
        text=True,
        check=False,
    )
