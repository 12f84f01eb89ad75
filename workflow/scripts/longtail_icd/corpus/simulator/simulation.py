"""A simulated hospital in the table format of MIMIC-III or MIMIC-IV.

The codes and titles are real, the frequencies follow MIMIC-III's law (frequencies.py), the
co-occurrence comes from latent phenotypes (phenotypes.py), the wordings overlap with public
sources as far as asked (wording.py), and the prose is our own (prose.py, chart.py). The tables
hold the traps of the releases: notes of other categories and addenda, notes without an admission,
admissions without a summary, repeated and null codes, codes with leading zeros, codes of two
versions. No patient, real or not, is behind any of it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.common.codes import undotted
from longtail_icd.common.tables import KINDS
from longtail_icd.common.wordings import icd9_wordings
from longtail_icd.corpus.simulator import mimic4
from longtail_icd.corpus.simulator.blocks import Author, write_notes
from longtail_icd.corpus.simulator.chart import Chart
from longtail_icd.corpus.simulator.hospital import Hospital, draw_hospital, draw_mixed_hospital
from longtail_icd.corpus.simulator.layouts import hospital_files
from longtail_icd.corpus.simulator.mimic3 import mimic3_tables
from longtail_icd.corpus.simulator.mimic_tables import write_hospital
from longtail_icd.corpus.simulator.note_events import NoteEvents
from longtail_icd.corpus.simulator.prose import read_prose
from longtail_icd.corpus.simulator.stays import Stays, draw_stays
from longtail_icd.corpus.simulator.summaries import Block, Scribe, Voice, standardised
from longtail_icd.corpus.simulator.wording import draw_wordings, icd10_wordings, vocabulary

REPEATED = {"diagnosis": 0.002, "procedure": 0.04}  # rows there twice (MIMIC-III demo: 20/506)
NULL_CODE = 0.001  # rows without a code


def _code_rows(
    rng: np.random.Generator,
    admissions: pl.DataFrame,
    labels: list[np.ndarray],
    pool: pl.DataFrame,
) -> pl.DataFrame:
    """Return each label's admission, kind, version and code, in a random order per admission."""
    sizes = [len(own) for own in labels]
    index = np.concatenate([rng.permutation(own) for own in labels])
    codes = pool.select("kind", "version", ICD9_CODE=undotted(pl.col("code")))[index]
    owner = admissions.select("SUBJECT_ID", "HADM_ID", "ADMITTIME")
    return pl.concat([owner[np.repeat(np.arange(len(labels)), sizes)], codes], how="horizontal")


def _untidy(rng: np.random.Generator, rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Give the rows of a kind numbers, repeat some of them, add some without a code."""
    own = rows.filter(kind=kind)
    times = 1 + (rng.random(own.height) < REPEATED[kind])
    repeated = own[np.repeat(np.arange(own.height), times)]
    numbered = repeated.with_columns(SEQ_NUM=pl.int_range(1, pl.len() + 1).over("HADM_ID"))
    nulls = max(1, round(NULL_CODE * own.height))
    lost = own.select("SUBJECT_ID", "HADM_ID", "ADMITTIME", "version")
    return pl.concat([numbered, lost[rng.integers(own.height, size=nulls)]], how="diagonal")


def _draw_voice(rng: np.random.Generator, pool: pl.DataFrame, overlap: float) -> Voice:
    """Draw the wordings of all codes, system by system; no two codes share an invented word."""
    public = icd9_wordings()
    taken = set(vocabulary(public))
    icd9, icd10 = pool.filter(version="icd9cm"), pool.filter(pl.col("version") != "icd9cm")
    wordings = draw_wordings(rng, icd9, overlap, public, taken)
    if not icd10.is_empty():
        public = icd10_wordings()
        taken |= vocabulary(public)
        wordings += draw_wordings(rng, icd10, overlap, public, taken)
    return Voice(pool, wordings)


def cut(admissions: pl.DataFrame, labels: list[np.ndarray], size: int) -> Iterator[Block]:
    """Cut the documents into blocks."""
    needed = admissions.select(
        "SUBJECT_ID",
        "HADM_ID",
        "ADMITTIME",
        "DISCHTIME",
        "GENDER",
        "DOB",
        NOTE_SEQ=pl.int_range(1, pl.len() + 1).over("SUBJECT_ID"),
    )
    many = standardised(np.array([len(own) for own in labels]))
    for number, start in enumerate(range(0, len(labels), size)):
        part = slice(start, start + size)
        yield Block(number, needed[part].to_dicts(), labels[part], many[part])


def _tables(
    rng: np.random.Generator, layout: str, stays: Stays, hospital: Hospital
) -> dict[str, pl.DataFrame]:
    """Return every table but the notes."""
    labels = [hospital.labels[document] for document in stays.document]
    rows = _code_rows(rng, stays.admissions, labels, hospital.pool)
    codes = {kind: _untidy(rng, rows, kind) for kind in KINDS}
    if layout == "mimic4":
        return mimic4.tables(rng, codes, stays)
    return mimic3_tables(codes, stays)


def simulate(
    parameters: Mapping[str, Any],
    ranges_path: str | Path,
    prose_path: str | Path,
    folder: str | Path,
    processes: int = 1,
) -> dict[str, int]:
    """Simulate a hospital and write its tables; the same parameters give the same bytes.

    Args:
        parameters: `corpus.simulation` of the configuration; the comments there say what each is.
        ranges_path: `resources/icd9_ranges.csv`.
        prose_path: `resources/hospital_prose.yaml`.
        folder: where the tables go, as layouts.py says.
        processes: how many write notes at a time; makes no difference to what is written.

    Returns:
        The number of rows by table.

    Raises:
        UserError: more codes than the code systems have; a resource is missing.
    """
    layout, path = parameters["layout"], Path(folder)
    seeds = np.random.SeedSequence(parameters["seed"]).spawn(5)
    of_codes, of_stays, of_wordings = (np.random.default_rng(seed) for seed in seeds[:3])
    draw = draw_hospital if layout == "mimic3" else draw_mixed_hospital
    hospital = draw(of_codes, parameters, ranges_path)
    stays = draw_stays(
        of_stays, hospital.notes.patient, parameters["silent"], parameters["silent_patients"]
    )
    if layout == "mimic4":
        stays = mimic4.moved(stays)
    tables = _tables(of_stays, layout, stays, hospital)
    prose, chart = read_prose(prose_path), parameters["chart"]
    scribe = Scribe(
        prose,
        _draw_voice(of_wordings, hospital.pool, parameters["overlap"]),
        np.bincount(np.concatenate(hospital.labels), minlength=hospital.pool.height),
        parameters["words_per_note"],
        Chart(np.random.default_rng(seeds[4]), prose, chart["sentences"]) if chart else None,
    )
    author: Author = (
        NoteEvents(scribe, parameters) if layout == "mimic3" else mimic4.DischargeNotes(scribe)
    )
    write_hospital(tables, path / ("hosp" if layout == "mimic4" else ""))
    notes, file = next(iter(hospital_files(layout).items()))
    size = parameters["block"]
    blocks = cut(stays.admissions[stays.documented], hospital.labels, size)
    number = -(-len(hospital.labels) // size)
    rows = write_notes(author, seeds[3], blocks, number, path / file, processes)
    return {notes: rows} | {name: frame.height for name, frame in tables.items()}
