"""Train, dev and test: no patient in two of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

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


def read_ids(paths: Mapping[str, str | Path]) -> pl.DataFrame:
    """Return note_id, split from one file of admission ids per split: one a line, no header.

    A header ``hadm_id`` is passed over, as is a trailing ``.0``.

    Raises:
        UserError: an id is listed twice.
    """
    parts = []
    for split, path in paths.items():
        lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
        ids = [line.removesuffix(".0") for line in lines if line and line.lower() != "hadm_id"]
        parts.append(
            pl.DataFrame({"note_id": ids}, schema={"note_id": pl.String}).with_columns(
                split=pl.lit(split)
            )
        )
    assigned = pl.concat(parts)
    twice = assigned.filter(pl.col("note_id").is_duplicated()).height
    if twice:
        raise UserError(
            f"{Path(next(iter(paths.values()))).parent}: {twice} lines of the id files repeat an "
            "id; an admission belongs to one split: take the files of one published split"
        )
    return assigned


def split_by_ids(notes: pl.DataFrame, paths: Mapping[str, str | Path]) -> pl.DataFrame:
    """Assign the notes that the id files list; prints how many ids and notes find no partner.

    Returns:
        note_id, split; without the notes that no file lists.

    Raises:
        UserError: an id is listed twice.
    """
    listed = read_ids(paths)
    assigned = notes.join(listed, on="note_id", maintain_order="left").select("note_id", "split")
    print(f"ids without a document in this corpus: {listed.height - assigned.height}")
    print(f"documents that no id file lists, dropped: {notes.height - assigned.height}")
    return assigned


def split_officially(notes: pl.DataFrame) -> pl.DataFrame:
    """Assign the notes as the source itself does (column official_split).

    Raises:
        UserError: the source has no split of its own.
    """
    assigned = notes.drop_nulls("official_split").select("note_id", split="official_split")
    if not assigned.height:
        raise UserError(
            "corpus.split.method: official: this corpus has no split of its own; give a folder "
            "with id files in corpus.split.ids, or set method: patient"
        )
    print(f"documents in no official split, dropped: {notes.height - assigned.height}")
    return assigned


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


def assign_splits(
    notes: pl.DataFrame,
    method: str,
    dev: float,
    test: float,
    seed: int,
    ids: Mapping[str, str | Path],
) -> pl.DataFrame:
    """Return note_id, split by the configured method, checked.

    Args:
        notes: note_id, patient_id, official_split.
        method: ``patient`` or ``official``.
        dev: share of patients (method patient).
        test: share of patients (method patient).
        seed: of the draw (method patient).
        ids: id file by split (method official); empty: the source's own split.

    Raises:
        UserError: a split is empty, a patient is in two, or there is no official split.
    """
    if method == "patient":
        assigned = split_by_patient(notes, dev, test, seed)
    elif ids:
        assigned = split_by_ids(notes, ids)
    else:
        assigned = split_officially(notes)
    check_split(notes, assigned)
    return assigned


def codes_of(labels: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return every code that any split uses, once, sorted: the table corpus/codes."""
    return pl.concat(labels).select("version", "code", "kind").unique().sort("code", "version")
