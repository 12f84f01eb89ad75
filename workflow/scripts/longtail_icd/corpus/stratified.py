"""A split that gives every code its share: iterative stratification, patient by patient."""

import numpy as np
import polars as pl

from longtail_icd.common.tables import SPLITS


class _Mentions:
    """How many notes of each patient carry each code: sparse, by patient and by code.

    Attributes:
        patients: ids, sorted.
        codes_of: per patient the numbers of its codes.
        notes_of: beside them, how many of the patient's notes carry each.
        holders: per code the numbers of the patients that have it, in random order.
        totals: per code the notes that carry it.
    """

    def __init__(self, notes: pl.DataFrame, labels: pl.DataFrame, draw: np.random.Generator):
        self.patients = notes["patient_id"].unique().sort()
        # Numbers at random: where two choices are equal, the lower number goes first.
        numbered = pl.DataFrame(
            {"patient_id": self.patients, "patient": draw.permutation(len(self.patients))}
        )
        pairs = (
            labels.unique(["note_id", "version", "code"])
            .join(notes.select("note_id", "patient_id"), on="note_id")
            .group_by("patient_id", "version", "code")
            .len("notes")
        )
        codes = pairs.select("version", "code").unique().sort("version", "code")
        codes = codes.with_columns(number=pl.Series(draw.permutation(codes.height)))
        pairs = pairs.join(numbered, on="patient_id").join(codes, on=["version", "code"])
        self.order = numbered["patient"].to_numpy()
        by_patient = pairs.sort("patient", "number")
        ends = np.searchsorted(by_patient["patient"], np.arange(1, len(self.patients)))
        self.codes_of = np.split(by_patient["number"].to_numpy(), ends)
        self.notes_of = np.split(by_patient["notes"].to_numpy().astype(np.float64), ends)
        by_code = pairs.sort("number", "patient")
        ends = np.searchsorted(by_code["number"], np.arange(1, codes.height))
        self.holders = np.split(by_code["patient"].to_numpy(), ends)
        self.totals = np.bincount(
            by_code["number"], weights=by_code["notes"], minlength=codes.height
        )


def _stratify(mentions: _Mentions, shares: np.ndarray) -> np.ndarray:
    """Return the number of each patient's split, the rarest code's patients placed first."""
    count = len(mentions.patients)
    wanted = shares[:, None] * mentions.totals  # [splits, codes], in notes
    room = shares * count  # [splits], in patients
    waiting = np.array([len(holders) for holders in mentions.holders])  # [codes], in patients
    split_of = np.full(count, -1)

    def place(patient: int, need: np.ndarray) -> None:
        best = max(range(len(shares)), key=lambda split: (need[split], room[split]))
        codes = mentions.codes_of[patient]
        wanted[best, codes] -= mentions.notes_of[patient]
        waiting[codes] -= 1
        room[best] -= 1
        split_of[patient] = best

    while waiting.any():
        rarest = int(np.where(waiting > 0, waiting, count + 1).argmin())
        for patient in mentions.holders[rarest]:
            if split_of[patient] < 0:
                place(patient, wanted[:, rarest])
    for patient in np.flatnonzero(split_of < 0):  # those without any code
        place(patient, room)
    return split_of


def split_stratified(
    notes: pl.DataFrame, labels: pl.DataFrame, dev: float, test: float, seed: int
) -> pl.DataFrame:
    """Assign each note to a split by its patient, so that each split gets its share of each code.

    Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011, algorithm 1) with patients as
    examples: the code that fewest unplaced patients have is taken next, and each of its patients
    goes where most notes with that code are still wanted; if several want equally many, where
    most patients are. A patient counts with every note that carries the code.

    Args:
        notes: note_id, patient_id; their order does not matter.
        labels: note_id, version, code; their order does not matter.
        dev: share of the notes of every code.
        test: share of the notes of every code.
        seed: of the order among equals.

    Returns:
        note_id, split.
    """
    mentions = _Mentions(notes, labels, np.random.default_rng(seed))
    split_of = _stratify(mentions, np.array([1 - dev - test, dev, test]))
    names = np.array(SPLITS)[split_of[mentions.order]]
    assigned = pl.DataFrame({"patient_id": mentions.patients, "split": names})
    return notes.join(assigned, on="patient_id", maintain_order="left").select("note_id", "split")
