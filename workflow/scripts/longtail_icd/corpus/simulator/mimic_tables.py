"""The files of MIMIC-III v1.4: columns in order, quoting, compression."""

import gzip
from pathlib import Path

import polars as pl

from longtail_icd.common.files import atomic_path

# Names and order of the columns as in the release's postgres_create_tables.sql.
COLUMNS = {
    "NOTEEVENTS": "ROW_ID SUBJECT_ID HADM_ID CHARTDATE CHARTTIME STORETIME CATEGORY DESCRIPTION "
    "CGID ISERROR TEXT",
    "DIAGNOSES_ICD": "ROW_ID SUBJECT_ID HADM_ID SEQ_NUM ICD9_CODE",
    "PROCEDURES_ICD": "ROW_ID SUBJECT_ID HADM_ID SEQ_NUM ICD9_CODE",
    "D_ICD_DIAGNOSES": "ROW_ID ICD9_CODE SHORT_TITLE LONG_TITLE",
    "D_ICD_PROCEDURES": "ROW_ID ICD9_CODE SHORT_TITLE LONG_TITLE",
    "ADMISSIONS": "ROW_ID SUBJECT_ID HADM_ID ADMITTIME DISCHTIME DEATHTIME ADMISSION_TYPE "
    "ADMISSION_LOCATION DISCHARGE_LOCATION INSURANCE LANGUAGE RELIGION MARITAL_STATUS ETHNICITY "
    "EDREGTIME EDOUTTIME DIAGNOSIS HOSPITAL_EXPIRE_FLAG HAS_CHARTEVENTS_DATA",
    "PATIENTS": "ROW_ID SUBJECT_ID GENDER DOB DOD DOD_HOSP DOD_SSN EXPIRE_FLAG",
}
TITLES_OF_KIND = {"diagnosis": "D_ICD_DIAGNOSES", "procedure": "D_ICD_PROCEDURES"}


def mimic_table(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return ``frame`` in the columns of a MIMIC-III table; those it lacks are empty.

    Rows are numbered in their order where ROW_ID is not given.
    """
    columns = COLUMNS[name].split()
    if "ROW_ID" not in frame.columns:
        frame = frame.with_row_index("ROW_ID", offset=1)
    missing = [pl.lit(None, dtype=pl.String).alias(one) for one in columns if one not in frame]
    return frame.with_columns(missing).select(columns)


def write_hospital(tables: dict[str, pl.DataFrame], folder: str | Path) -> None:
    """Write each table as ``NAME.csv.gz``: strings quoted, nulls empty, the same bytes each time.

    Args:
        tables: table name → frame, as :func:`mimic_table` returns it.
        folder: is made if it is missing.
    """
    for name, frame in tables.items():
        text = frame.write_csv(quote_style="non_numeric", datetime_format="%Y-%m-%d %H:%M:%S")
        with atomic_path(Path(folder) / f"{name}.csv.gz") as temporary:
            # mtime 0: else the clock would be in the file.
            temporary.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))
