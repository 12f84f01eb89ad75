"""The hospital before it has tables: its codes, its notes, and which note has which codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.corpus.simulator import icd10_pool
from longtail_icd.corpus.simulator.code_pool import PROCEDURE_SHARE, assign_ranks, draw_pool
from longtail_icd.corpus.simulator.frequencies import (
    ICD9_LAW,
    ICD10_LAW,
    Law,
    draw_counts,
    expected_counts,
)
from longtail_icd.corpus.simulator.phenotypes import (
    ADMISSIONS_MIMIC3,
    ADMISSIONS_MIMIC4,
    CHRONIC,
    Notes,
    assign_phenotypes,
    draw_notes,
    fill_empty,
    place_codes,
)


@dataclass(frozen=True)
class Hospital:
    """What the simulation knows and the tables do not say.

    Attributes:
        pool: the codes: version, kind, code, title, short_title, category, chapter, cluster.
        phenotype: the phenotype of each code.
        notes: patients, phenotypes and sizes of the notes.
        labels: the codes (indices into the pool) of each note.
    """

    pool: pl.DataFrame
    phenotype: np.ndarray
    notes: Notes
    labels: list[np.ndarray]


@dataclass(frozen=True)
class Coding:
    """The codes of one code system: how many notes have each, and which hang together.

    Attributes:
        pool: as in :class:`Hospital`.
        counts: notes per code.
        phenotype: the phenotype of each code.
        chronic: whether a patient keeps it, by code.
    """

    pool: pl.DataFrame
    counts: np.ndarray
    phenotype: np.ndarray
    chronic: np.ndarray


def _draw_coding(
    rng: np.random.Generator,
    pool: pl.DataFrame,
    law: Law,
    procedures: float,
    documents: int,
    labels_per_note: float,
    phenotypes: int,
) -> Coding:
    ranked = expected_counts(documents, pool.height, labels_per_note, law)
    expected = assign_ranks(rng, pool, ranked, procedures)
    counts = draw_counts(rng, expected, documents)
    phenotype = assign_phenotypes(rng, pool["cluster"].to_list(), counts, phenotypes)
    diagnosis = (pool["kind"] == "diagnosis").to_numpy()
    chronic = diagnosis & (rng.random(pool.height) < CHRONIC)
    return Coding(pool, counts, phenotype, chronic)


def labels_of_notes(documents: int, note: np.ndarray, code: np.ndarray) -> list[np.ndarray]:
    """Return the codes (indices, sorted) of each note."""
    order = np.lexsort((code, note))
    ends = np.cumsum(np.bincount(note, minlength=documents))[:-1]
    return np.split(code[order], ends)


def _label(rng: np.random.Generator, notes: Notes, coding: Coding) -> list[np.ndarray]:
    documents = len(notes.patient)
    note, code = place_codes(rng, notes, coding.counts, coding.phenotype, coding.chronic)
    return labels_of_notes(documents, fill_empty(note, code, documents), code)


def later_notes(rng: np.random.Generator, patient: np.ndarray, wanted: int) -> np.ndarray:
    """Choose the ``wanted`` notes written after the hospital changed its code system.

    Every patient meets the change at a random point of the stays, so that a patient's notes in
    the new system follow those in the old one.

    Args:
        rng: source of chance.
        patient: of each note; a patient's notes follow each other in time.
        wanted: how many notes.

    Returns:
        Bool array [notes].
    """
    starts = np.flatnonzero(np.diff(patient, prepend=-1) > 0)
    own = np.diff(starts, append=len(patient))
    position = np.arange(len(patient)) - np.repeat(starts, own)
    score = (position + 0.5) / np.repeat(own, own) - np.repeat(rng.random(len(own)), own)
    later = np.zeros(len(patient), dtype=bool)
    later[np.argsort(-score, kind="stable")[:wanted]] = True
    return later


def _subset(notes: Notes, chosen: np.ndarray) -> Notes:
    _, patient = np.unique(notes.patient[chosen], return_inverse=True)
    return Notes(patient, notes.phenotypes[chosen], notes.size[chosen])


def draw_hospital(
    rng: np.random.Generator, parameters: Mapping[str, Any], ranges_path: str | Path
) -> Hospital:
    """Draw codes, notes and which note has which codes: ICD-9-CM alone, as in MIMIC-III.

    Args:
        rng: source of chance.
        parameters: documents, codes, labels_per_note and phenotypes of `corpus.simulation`.
        ranges_path: `resources/icd9_ranges.csv`.
    """
    documents, phenotypes = parameters["documents"], parameters["phenotypes"]
    labels_per_note = parameters["labels_per_note"]
    pool = draw_pool(rng, parameters["codes"], ranges_path)
    coding = _draw_coding(
        rng, pool, ICD9_LAW, PROCEDURE_SHARE, documents, labels_per_note, phenotypes
    )
    notes = draw_notes(rng, documents, phenotypes, labels_per_note, ADMISSIONS_MIMIC3)
    pool = pool.with_columns(version=pl.lit("icd9cm"))
    return Hospital(pool, coding.phenotype, notes, _label(rng, notes, coding))


def draw_mixed_hospital(
    rng: np.random.Generator, parameters: Mapping[str, Any], ranges_path: str | Path
) -> Hospital:
    """Draw a hospital that changed from ICD-9-CM to ICD-10, as MIMIC-IV's did.

    A note has codes of one system only.

    Args:
        rng: source of chance.
        parameters: documents, codes, labels_per_note, phenotypes of `corpus.simulation`; icd10:
            share (of the notes), codes and labels_per_note.
        ranges_path: `resources/icd9_ranges.csv`.
    """
    documents, phenotypes = parameters["documents"], parameters["phenotypes"]
    icd10 = parameters["icd10"]
    notes = draw_notes(rng, documents, phenotypes, parameters["labels_per_note"], ADMISSIONS_MIMIC4)
    later = later_notes(rng, notes.patient, round(icd10["share"] * documents))
    icd9_pool = draw_pool(rng, parameters["codes"], ranges_path).with_columns(
        version=pl.lit("icd9cm")
    )
    pools = [icd9_pool, icd10_pool.draw_icd10_pool(rng, icd10["codes"]).select(icd9_pool.columns)]
    laws, procedures = [ICD9_LAW, ICD10_LAW], [PROCEDURE_SHARE, icd10_pool.PROCEDURE_SHARE]
    medians = [parameters["labels_per_note"], icd10["labels_per_note"]]
    labels: list[np.ndarray] = [np.zeros(0, dtype=int)] * documents
    phenotype, offset = [], 0
    for chosen, pool, law, share, median in zip(
        (~later, later), pools, laws, procedures, medians, strict=True
    ):
        own = _subset(notes, chosen)
        coding = _draw_coding(rng, pool, law, share, len(own.patient), median, phenotypes)
        for note, codes in zip(np.flatnonzero(chosen), _label(rng, own, coding), strict=True):
            labels[note] = codes + offset
        phenotype.append(coding.phenotype)
        offset += pool.height
    return Hospital(pl.concat(pools), np.concatenate(phenotype), notes, labels)
