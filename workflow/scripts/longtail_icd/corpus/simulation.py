"""A simulated hospital in MIMIC-III's own table format.

The codes and titles are real ICD-9-CM, the frequencies follow MIMIC-III's law (frequencies.py),
the co-occurrence comes from latent phenotypes (phenotypes.py), the wordings overlap with public
sources as far as asked (wording.py), and the prose is our own (prose.py). The tables hold the
traps of the release: notes of other categories and addenda, notes without an admission,
admissions without a summary, repeated and null codes, codes with leading zeros. No patient, real
or not, is behind any of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.common.code_systems import icd9_titles
from longtail_icd.common.codes import undotted
from longtail_icd.common.tables import KINDS
from longtail_icd.corpus.code_pool import assign_ranks, draw_pool
from longtail_icd.corpus.frequencies import draw_counts, expected_counts
from longtail_icd.corpus.mimic_tables import TABLES_OF_KIND, TITLES_OF_KIND, mimic_table
from longtail_icd.corpus.note_events import Voice, labels_of_notes, write_notes
from longtail_icd.corpus.phenotypes import (
    CHRONIC,
    Notes,
    assign_phenotypes,
    draw_notes,
    fill_empty,
    place_codes,
)
from longtail_icd.corpus.prose import read_prose
from longtail_icd.corpus.stays import draw_admissions, draw_patients_table
from longtail_icd.corpus.wording import draw_wordings

REPEATED = {"diagnosis": 0.002, "procedure": 0.04}  # rows there twice (MIMIC-III demo: 20/506)
NULL_CODE = 0.001  # rows without a code
WITHOUT_SUMMARY = 0.05  # admissions beside those with a summary


@dataclass(frozen=True)
class Hospital:
    """What the simulation knows and the tables do not say.

    Attributes:
        pool: the codes: kind, code, title, short_title, category, chapter, cluster.
        phenotype: the phenotype of each code.
        notes: patients, phenotypes and sizes of the notes.
        labels: the codes (indices into the pool) of each note.
    """

    pool: pl.DataFrame
    phenotype: np.ndarray
    notes: Notes
    labels: list[np.ndarray]


def draw_hospital(
    rng: np.random.Generator, parameters: Mapping[str, Any], ranges_path: str | Path
) -> Hospital:
    """Draw codes, notes and which note has which codes."""
    documents, codes = parameters["documents"], parameters["codes"]
    labels_per_note, phenotypes = parameters["labels_per_note"], parameters["phenotypes"]
    pool = draw_pool(rng, codes, ranges_path)
    ranked = expected_counts(documents, codes, labels_per_note)
    expected = assign_ranks(rng, pool, ranked)
    counts = draw_counts(rng, expected, documents)
    phenotype = assign_phenotypes(rng, pool["cluster"].to_list(), counts, phenotypes)
    diagnosis = (pool["kind"] == "diagnosis").to_numpy()
    chronic = diagnosis & (rng.random(codes) < CHRONIC)
    notes = draw_notes(rng, documents, phenotypes, labels_per_note)
    note, code = place_codes(rng, notes, counts, phenotype, chronic)
    note = fill_empty(note, code, documents)
    return Hospital(pool, phenotype, notes, labels_of_notes(notes, note, code))


def _code_rows(
    rng: np.random.Generator, admissions: pl.DataFrame, labels: list[np.ndarray], pool: pl.DataFrame
) -> pl.DataFrame:
    """Return SUBJECT_ID, HADM_ID, kind and code for each label, in a random order per admission."""
    sizes = [len(own) for own in labels]
    index = np.concatenate([rng.permutation(own) for own in labels])
    codes = pool.select(
        "kind",
        ICD9_CODE=undotted(pl.col("code")),
    )[index]
    owner = admissions.select("SUBJECT_ID", "HADM_ID")[np.repeat(np.arange(len(labels)), sizes)]
    return pl.concat([owner, codes], how="horizontal")


def _code_table(rng: np.random.Generator, rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return a table of codes, numbered by admission, with some rows repeated, some codes lost."""
    own = rows.filter(kind=kind).drop("kind")
    times = 1 + (rng.random(own.height) < REPEATED[kind])
    repeated = own[np.repeat(np.arange(own.height), times)]
    numbered = repeated.with_columns(SEQ_NUM=pl.int_range(1, pl.len() + 1).over("HADM_ID"))
    nulls = max(1, round(NULL_CODE * own.height))
    lost = own.select("SUBJECT_ID", "HADM_ID")[rng.integers(own.height, size=nulls)]
    return mimic_table(pl.concat([numbered, lost], how="diagonal"), TABLES_OF_KIND[kind])


def _title_tables() -> dict[str, pl.DataFrame]:
    titles = icd9_titles().select(
        "kind",
        ICD9_CODE=undotted(pl.col("code")),
        SHORT_TITLE="short_title",
        LONG_TITLE="title",
    )
    return {
        table: mimic_table(titles.filter(kind=kind), table)
        for kind, table in TITLES_OF_KIND.items()
    }


def simulate(
    parameters: Mapping[str, Any], ranges_path: str | Path, prose_path: str | Path
) -> dict[str, pl.DataFrame]:
    """Simulate a hospital; the same parameters give the same tables.

    Args:
        parameters: `corpus.simulation` of the configuration: seed, documents (notes), codes (size
            of the pool), labels_per_note and words_per_note (medians), phenotypes, overlap (share
            of wordings that public sources know).
        ranges_path: `resources/icd9_ranges.csv`.
        prose_path: `resources/hospital_prose.yaml`.

    Returns:
        The tables of MIMIC-III by name.

    Raises:
        UserError: more codes than ICD-9-CM has; a resource is missing.
    """
    seeds = np.random.SeedSequence(parameters["seed"]).spawn(4)
    of_codes, of_stays, of_wordings, of_text = (np.random.default_rng(seed) for seed in seeds)
    hospital = draw_hospital(of_codes, parameters, ranges_path)
    documents = len(hospital.labels)
    patients = draw_patients_table(of_stays, int(hospital.notes.patient[-1]) + 1)
    # Admissions without a summary: another stay of a patient, with codes, but no note.
    silent = np.sort(of_stays.choice(documents, round(WITHOUT_SUMMARY * documents), replace=False))
    stays = np.sort(np.concatenate([np.arange(documents), silent]), kind="stable")
    admissions = draw_admissions(of_stays, patients, hospital.notes.patient[stays])
    labels = [hospital.labels[stay] for stay in stays]
    first = np.flatnonzero(np.diff(stays, prepend=-1) > 0)

    wordings = draw_wordings(of_wordings, hospital.pool, parameters["overlap"])
    notes = write_notes(
        of_text,
        read_prose(prose_path),
        admissions[first],
        hospital.labels,
        np.bincount(np.concatenate(hospital.labels), minlength=hospital.pool.height),
        Voice(hospital.pool, wordings),
        parameters["words_per_note"],
    )
    code_rows = _code_rows(of_stays, admissions, labels, hospital.pool)
    return {
        "NOTEEVENTS": mimic_table(notes, "NOTEEVENTS"),
        **{TABLES_OF_KIND[kind]: _code_table(of_stays, code_rows, kind) for kind in KINDS},
        **_title_tables(),
        "ADMISSIONS": mimic_table(
            admissions.with_columns(DIAGNOSIS=pl.lit("SEE SUMMARY")), "ADMISSIONS"
        ),
        "PATIENTS": mimic_table(patients, "PATIENTS"),
    }
