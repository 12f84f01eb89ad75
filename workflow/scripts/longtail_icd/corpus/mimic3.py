"""MIMIC-III v1.4: codes as strings with their leading zeros, one note per admission."""

from pathlib import Path

import polars as pl

from longtail_icd.common.codes import dotted
from longtail_icd.corpus.discharge_summaries import read_summaries
from longtail_icd.corpus.prepared import Prepared
from longtail_icd.corpus.raw_files import CODE_TABLES, find_table
from longtail_icd.corpus.raw_tables import clean_id, read_raw

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
        coded = raw.filter(pl.col("ICD9_CODE").str.strip_chars().fill_null("") != "")
        labels = coded.select(
            note_id=clean_id("HADM_ID"),
            code=dotted(pl.col("ICD9_CODE"), "icd9cm", kind),
            version=pl.lit("icd9cm"),
            kind=pl.lit(kind),
            sequence=pl.col("SEQ_NUM").cast(pl.Float64, strict=False),
        ).sort("note_id", "sequence", "code", nulls_last=True)
        once = labels.unique(["note_id", "code"], keep="first", maintain_order=True)
        counts[f"{kind}_rows"] = raw.height
        counts[f"{kind}_without_code"] = raw.height - coded.height
        counts[f"{kind}_repeated"] = labels.height - once.height
        position = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("note_id")
        parts.append(once.with_columns(position=position).drop("sequence"))
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
        admissions.unique("note_id", keep="first", maintain_order=True)
        .join(patients.unique("patient_id", keep="first"), on="patient_id", how="left")
        .with_columns(age=pl.when(age < OLDEST).then(age.round(2)).when(age >= OLDEST).then(OLDEST))
        .drop("born")
        .sort("note_id")
    )


def read_mimic3(folder: str | Path, kinds: list[str], notes: str) -> Prepared:
    """Read a folder with the tables of MIMIC-III, each ``NAME.csv.gz`` or ``NAME.csv``.

    Args:
        folder: the tables.
        kinds: of codes to keep.
        notes: ``discharge``: one document per admission with a discharge summary, also if it has
            no code, as in the literature. ``none``: one per admission, with an empty text; the
            open demo tables have no notes.

    Raises:
        UserError: a table or column is missing, or a file is cut off.
    """
    labels, counts = read_labels(folder, kinds)
    admissions = read_admissions(folder)
    if notes == "none":
        documents = admissions.with_columns(text=pl.lit(""))
    else:
        summaries, dropped = read_summaries(find_table(folder, "NOTEEVENTS"))
        counts |= dropped
        # The note knows its patient even where the admission's row is missing.
        documents = summaries.join(
            admissions.drop("patient_id"), on="note_id", how="left", maintain_order="left"
        )
        unknown = summaries.join(admissions, on="note_id", how="anti").height
        counts["documents_without_admission_row"] = unknown
    official_split = pl.lit(None, dtype=pl.String)
    return Prepared(documents.with_columns(official_split=official_split), labels, counts)
