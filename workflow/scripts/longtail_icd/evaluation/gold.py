"""The gold standard of a split, aligned to a score file: labels, patients and groups of codes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import coo_array, csr_array

from longtail_icd.common.errors import UserError
from longtail_icd.common.tiers import TIERS
from longtail_icd.evaluation.evaluate import ALL
from longtail_icd.evaluation.groups import tier_index
from longtail_icd.evaluation.scores import Scores


@dataclass(frozen=True)
class GoldStandard:
    """What N scored notes should have been coded as, over L codes.

    Attributes:
        labels: boolean [N, L].
        outside: each note's gold labels outside the label space [N].
        patient: each note's patient, as an index [N]; patients in sorted order.
        tier: each code's tier, an index into :data:`~longtail_icd.common.tiers.TIERS` [L].
        label_list: fingerprint of the codes in their order.
        test_set: fingerprint of notes, patients and all gold labels, in any order.
    """

    labels: csr_array
    outside: np.ndarray
    patient: np.ndarray
    tier: np.ndarray
    label_list: str
    test_set: str

    def masks(self) -> dict[str, np.ndarray]:
        """Return which codes are in ``all`` and in each tier that has any: [L] each."""
        tiers = {name: self.tier == number for number, name in enumerate(TIERS)}
        masks = {ALL: np.ones(len(self.tier), dtype=bool), **tiers}
        return {name: codes for name, codes in masks.items() if codes.any()}

    def labels_per_code(self) -> np.ndarray:
        """Return the number of gold labels of each code: [L]."""
        return np.bincount(self.labels.indices, minlength=len(self.tier))

    def support(self) -> dict[str, int]:
        """Return the number of gold labels of each group of :meth:`masks`."""
        labels = self.labels_per_code()
        return {name: int(labels[codes].sum()) for name, codes in self.masks().items()}


def gold_labels(labels: pl.DataFrame, scores: Scores) -> tuple[csr_array, np.ndarray]:
    """Align gold labels to a score file by note id and code, never by order.

    Returns:
        Boolean [N, L], and each note's number of labels outside the label space [N].

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
    places = inside["row"].to_numpy(), inside["column"].to_numpy()
    gold = coo_array((np.ones(len(inside), dtype=bool), places), shape=scores.logits.shape)
    lost = placed.filter(pl.col("column").is_null())["row"].to_numpy()
    return gold.tocsr(), np.bincount(lost, minlength=len(scores.note_ids))


def _fingerprint(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()[:16]


def gold_standard(
    labels: pl.DataFrame, notes: pl.DataFrame, tiers: pl.DataFrame, scores: Scores
) -> GoldStandard:
    """Bring together what a score file is judged by.

    Args:
        labels: corpus/labels of the split.
        notes: corpus/notes of the split; note_id and patient_id suffice.
        tiers: plan/tiers.
        scores: the score file.

    Raises:
        UserError: there are no notes, or notes, labels or codes are not the score file's.
    """
    if not scores.note_ids:
        raise UserError("there is no note to score; enlarge corpus.split")
    gold, outside = gold_labels(labels, scores)
    patient_of = dict(notes.select("note_id", "patient_id").iter_rows())
    if patient_of.keys() != set(scores.note_ids):
        raise UserError("notes and scores are of different notes; run `snakemake -R predict_codes`")
    patients = [patient_of[note] for note in scores.note_ids]
    pairs = labels.select("note_id", "code").unique().sort("note_id", "code").iter_rows()
    return GoldStandard(
        gold,
        outside,
        np.unique(patients, return_inverse=True)[1],
        tier_index(scores.codes, tiers),
        _fingerprint(scores.codes),
        _fingerprint("\t".join(row) for row in (*sorted(patient_of.items()), *pairs)),
    )
