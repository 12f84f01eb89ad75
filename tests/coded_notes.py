"""A coder that has learnt something: each of three codes goes by its title among other words."""

from pathlib import Path

import numpy as np
import polars as pl
import torch
from longtail_icd.common.files import read_json, write_json
from longtail_icd.common.tables import write_table
from longtail_icd.prediction.notes import Note
from longtail_icd.training.encoder import prepare_encoder
from longtail_icd.training.job import launch
from longtail_icd.training.tokenization import tokenize
from training_stage import CHUNK, CODES, ENCODER, TITLES, make_job
from transformers import AutoTokenizer

WORDS = "patient seen on ward with rest and fluids then sent home after some days of care"
SETTINGS = {
    "epochs": 12,
    "batch_size": 12,
    "learning_rate": 1e-2,
    "rdrop_alpha": 0.0,
}


def make_notes(count: int, seed: int) -> pl.DataFrame:
    """Return note_id, text and label: 24 words by chance, the title of the code among them."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        words, label = list(draw.choice(WORDS.split(), 24)), number % len(CODES)
        words[int(draw.integers(24))] = TITLES[label].capitalize()
        rows.append((f"n{number}", " ".join(words), label))
    return pl.DataFrame(rows, schema=["note_id", "text", "label"], orient="row")


def as_notes(frame: pl.DataFrame) -> list[Note]:
    return [Note(*row) for row in frame.select("note_id", "text").iter_rows()]


def make_tokens(notes: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Return the table training/tokens of notes, by the tokenizer in ``folder``."""
    labels = notes.select("note_id", code=pl.Series(CODES).gather(notes["label"]))
    anchored = notes.select("note_id", "text", anchor=pl.lit(None, pl.String))
    return tokenize(anchored, labels, CODES, AutoTokenizer.from_pretrained(folder), 64)


def make_trained_model(folder: Path) -> Path:
    """Train on 60 notes by the very job of the workflow; return the model folder."""
    torch.set_num_threads(1)
    job = make_job(folder, "gki_icd")
    encoder = folder / "learning_encoder"
    prepare_encoder([*make_notes(60, 0)["text"], *TITLES], ENCODER, CHUNK, encoder)
    for split, seed in (("train", 0), ("dev", 1)):
        tokens = make_tokens(make_notes(60, seed), encoder)
        write_table(tokens, job["input"][split], "training/tokens")
    job["input"] |= {"encoder": str(encoder), "synonyms": []}  # no guidelines
    job |= {"max_length": 64, "settings": job["settings"] | SETTINGS}
    launch(job, 1)
    return Path(job["output"]["model"])


def forget_titles_and_calibration(folder: Path) -> None:
    """Make a model folder what it was before these two were kept."""
    (folder / "titles.json").unlink()
    coder = read_json(folder / "coder.json")
    del coder["calibration"]
    write_json(coder, folder / "coder.json")
