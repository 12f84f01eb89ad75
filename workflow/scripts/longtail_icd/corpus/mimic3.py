"""MIMIC-III v1.4: codes as strings with their leading zeros, one note per admission."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from longtail_icd.corpus.code_rows import label_rows
from longtail_icd.corpus.discharge_summaries import read_summaries
from longtail_icd.corpus.joining import DEFAULT
from longtail_icd.corpus.prepared import DOCUMENT, NO_PARTS, Source, first_of_each, with_admissions
from longtail_icd.corpus.raw_files import CODE_TABLES, find_table
from longtail_icd.corpus.raw_tables import clean_id, read_raw
from longtail_icd.corpus.text_store import TextStore

OLDEST = 90.0  # years; births of patients over 89 are shifted by some 300 years
DAYS_PER_YEAR = 365.2425
TIME = "%Y-%m-%d %H:%M:%S"


def read_labels(folder: str | Path, kinds: list[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the table corpus/labels and what was dropped on the way.

    Before: ``HADM_ID 100, SEQ_NUM 1, ICD9_CODE 0117`` (a procedure). After: ``note_id 100, code
    01.17, version icd9cm, kind procedure, position 1``. Null codes and repeated codes of one
    admission are dropped and counted, by kind; position counts an admission's remaining codes of
    a kind in the order of SEQ_NUM.
    """
    parts, counts = [], {}
    for kind in kinds:
        raw = read_raw(find_table(folder, CODE_TABLES[kind]), ["HADM_ID", "SEQ_NUM", "ICD9_CODE"])
        rows = raw.select(
            note_id=clean_id("HADM_ID"),
            code="ICD9_CODE",
            sequence=pl.col("SEQ_NUM").cast(pl.Float64, strict=False),
        )
        labels, dropped = label_rows(rows, "icd9cm", kind)
        counts |= dropped
        parts.append(labels)
    return pl.concat(parts), counts


def read_admissions(folder: str | Path) -> pl.DataFrame:
    """Return note_id, patient_id, time (of admission), sex and age of every admission.

    Age is that at admission, in years; that of patients over 89, whose births are shifted by
    about 300 years, is 90.
    """
    admissions = read_raw(
        find_table(folder, "ADMISSIONS"), ["HADM_ID", "SUBJECT_ID", "ADMITTIME"]
    ).select(
        note_id=clean_id("HADM_ID"),
        patient_id=clean_id("SUBJECT_ID"),
        time=pl.col("ADMITTIME").str.to_datetime(TIME, time_unit="us", strict=False),
    )
    patients = read_raw(find_table(folder, "PATIENTS"), ["SUBJECT_ID", "GENDER", "DOB"]).select(
        patient_id=clean_id("SUBJECT_ID"),
        sex=pl.col("GENDER").str.strip_chars().str.to_uppercase(),
        born=pl.col("DOB").str.to_datetime(TIME, time_unit="us", strict=False),
    )
    age = (pl.col("time") - pl.col("born")).dt.total_days() / DAYS_PER_YEAR
    return (
        first_of_each(admissions, "note_id")
        .join(first_of_each(patients, "patient_id"), on="patient_id", how="left")
        .with_columns(age=pl.when(age < OLDEST).then(age.round(2)).when(age >= OLDEST).then(OLDEST))
        .drop("born")
        .sort("note_id")
    )


def read_mimic3(
    folder: str | Path,
    kinds: list[str],
    notes: str,
    store: TextStore,
    joining: Mapping[str, str] = DEFAULT,
) -> Source:
    """Read a folder with the tables of MIMIC-III, each ``NAME.csv.gz`` or ``NAME.csv``.

    Args:
        folder: the tables.
        kinds: of codes to keep.
        notes: ``discharge``: one document per admission with a discharge summary, also if it has
            no code, as in the literature. ``none``: one per admission, with an empty text; the
            open demo tables have no notes.
        store: takes the texts.
        joining: how the notes of one admission become one text.

    Raises:
        UserError: a table or column is missing, or a file is cut off.
    """
    labels, counts = read_labels(folder, kinds)
    admissions = read_admissions(folder)
    if notes == "none":
        documents, parts = admissions, NO_PARTS
    else:
        summaries, parts, read = read_summaries(find_table(folder, "NOTEEVENTS"), store, joining)
        counts |= read
        documents, unknown = with_admissions(summaries, admissions)
        counts["documents_without_admission_row"] = unknown
    documents = documents.with_columns(official_split=pl.lit(None, dtype=pl.String))
    return Source(documents.select(list(DOCUMENT)), parts, labels, counts)
