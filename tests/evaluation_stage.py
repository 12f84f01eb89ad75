"""A small test split with its scores, for tests of the evaluation."""

import numpy as np
import polars as pl
from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation.gold import gold_standard
from longtail_icd.evaluation.scores import Scores

CODES = ["001.0", "001.1", "002.0", "002.1", "003.0", "38.93"]
TIERS = ["head", "medium", "few_shot", "few_shot", "zero_shot", "tail"]
N_TRAIN = [600, 101, 9, 1, 0, 50]
NOTES = [f"n{number}" for number in range(8)]
BOOTSTRAP = {"samples": 100, "confidence": 0.95, "seed": 1}
RUN = {
    "corpus": "sample",
    "model": "plm_icd",
    "train_set": "original",
    "seed": 1,
    "split": "test",
    "threshold_kind": "micro_f1",
}


def tiers_table():
    return pl.DataFrame(
        {
            "version": "icd9cm",
            "code": CODES,
            "kind": ["diagnosis"] * 5 + ["procedure"],
            "n_train": N_TRAIN,
            "tier": TIERS,
        }
    )


def chapters_table():
    """The last diagnosis is in no chapter that is known."""
    chapters = ["001-139"] * 4 + [None, "35-39"]
    return pl.DataFrame({"version": "icd9cm", "code": CODES, "chapter": chapters})


def notes_table():
    """Two notes a patient."""
    return pl.DataFrame({"note_id": NOTES, "patient_id": [f"p{row // 2}" for row in range(8)]})


def labels_table(outside=1):
    """Every fifth place of notes × codes is a label; the first notes have codes no model knows."""
    places = [(note, code) for note in NOTES for code in CODES][::5]
    places += [(note, "999.9") for note in NOTES[:outside]]
    rows = [(note, "icd9cm", code, "diagnosis", 1) for note, code in places]
    return pl.DataFrame(rows, schema=TABLES["corpus/labels"].columns, orient="row")


def make_scores(seed=0, codes=CODES, notes=NOTES):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(len(notes), len(codes))).astype(np.float32)
    return Scores(logits, list(notes), list(codes))


def make_gold(scores, outside=1):
    return gold_standard(labels_table(outside), notes_table(), tiers_table(), scores)
