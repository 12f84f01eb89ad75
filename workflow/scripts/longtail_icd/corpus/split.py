"""Train, dev and test: no patient in two of them."""

import numpy as np
import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import SPLITS


def split_by_patient(notes: pl.DataFrame, dev: float, test: float, seed: int) -> pl.DataFrame:
    """Assign each note to a split by its patient, at random.

    Args:
        notes: note_id, patient_id; their order does not matter.
        dev: share of patients.
        test: share of patients.
        seed: of the draw.

    Returns:
        note_id, split.
    """
    patients = notes["patient_id"].unique().sort()
    order = np.random.default_rng(seed).permutation(len(patients))
    n_test, n_dev = round(test * len(patients)), round(dev * len(patients))
    names = np.full(len(patients), "train", dtype=object)
    names[order[:n_test]] = "test"
    names[order[n_test : n_test + n_dev]] = "dev"
    split_of = pl.DataFrame({"patient_id": patients, "split": names.astype(str)})
    return notes.join(split_of, on="patient_id", maintain_order="left").select("note_id", "split")


def check_split(notes: pl.DataFrame, assigned: pl.DataFrame) -> None:
    """Refuse an empty split and a patient in two splits.

    Raises:
        UserError: names the split, or how many patients are in two.
    """
    found = set(assigned["split"])
    for split in SPLITS:
        if split not in found:
            raise UserError(
                f"the {split} split is empty: check corpus.split (shares, or the official id files)"
            )
    per_patient = (
        notes.join(assigned, on="note_id").group_by("patient_id").agg(pl.col("split").n_unique())
    )
    shared = per_patient.filter(pl.col("split") > 1).height
    if shared:
        raise UserError(f"{shared} patients are in more than one split; correct the id files")
