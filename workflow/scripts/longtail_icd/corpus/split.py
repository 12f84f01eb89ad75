"""Train, dev and test: no patient in two of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import SPLITS
from longtail_icd.corpus.split_ids import split_by_ids
from longtail_icd.corpus.stratified import split_stratified
from longtail_icd.corpus.temporal import split_by_time


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


def split_officially(notes: pl.DataFrame) -> pl.DataFrame:
    """Assign the notes as the source itself does (column official_split).

    Raises:
        UserError: the source has no split of its own, or one by another name.
    """
    assigned = notes.drop_nulls("official_split").select("note_id", split="official_split")
    unknown = assigned.filter(~pl.col("split").is_in(SPLITS)).height
    if unknown:
        raise UserError(
            f"corpus.split.method: official: {unknown} documents have an official split other "
            f"than {', '.join(SPLITS)}"
        )
    if not assigned.height:
        raise UserError(
            "corpus.split.method: official: this corpus has no split of its own; give id files "
            "in corpus.split.ids, or set method: patient, stratified or temporal"
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
    labels: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return note_id, split by the configured method, checked.

    Args:
        notes: note_id, patient_id, official_split; for the temporal method also time.
        method: ``patient``, ``stratified``, ``temporal`` or ``official``.
        dev: share of patients (all but official; of each code's notes for stratified).
        test: share of patients, likewise.
        seed: of the draw (patient, stratified).
        ids: files that list the split (official); empty: the source's own split.
        labels: note_id, version, code (stratified).

    Raises:
        UserError: a split is empty, a patient is in two, a document has no patient, or the
            method lacks what it needs.
    """
    strays = notes["patient_id"].null_count()
    if strays:
        raise UserError(
            f"{strays} documents have no patient, so they cannot be kept to one split; give them "
            "a patient of their own (for example the document's id), or leave them out"
        )
    match method:
        case "patient":
            assigned = split_by_patient(notes, dev, test, seed)
        case "stratified":
            assigned = split_stratified(notes, labels, dev, test, seed)
        case "temporal":
            assigned = split_by_time(notes, dev, test)
        case _:
            assigned = split_by_ids(notes, ids) if ids else split_officially(notes)
    check_split(notes, assigned)
    return assigned


def codes_of(labels: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return every code that any split uses, once, sorted: the table corpus/codes."""
    return pl.concat(labels).select("version", "code", "kind").unique().sort("code", "version")
