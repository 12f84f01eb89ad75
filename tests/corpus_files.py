"""Raw files for the tests of the corpus stage, and a preparation that returns what it wrote."""

import gzip
import io
from pathlib import Path
from typing import Any

import polars as pl
from longtail_icd.common.tables import read_table
from longtail_icd.corpus.discharge_summaries import read_summaries
from longtail_icd.corpus.joining import DEFAULT
from longtail_icd.corpus.prepare import prepare
from longtail_icd.corpus.prepared import Prepared
from longtail_icd.corpus.prepared_notes import text_batches
from longtail_icd.corpus.text_store import TextStore

BOTH = ["diagnosis", "procedure"]
NOTES = (
    "ROW_ID,SUBJECT_ID,HADM_ID,CHARTDATE,CHARTTIME,STORETIME,CATEGORY,DESCRIPTION,CGID,ISERROR,TEXT"
)
ADMISSIONS = "ROW_ID,SUBJECT_ID,HADM_ID,ADMITTIME"
PATIENTS = "ROW_ID,SUBJECT_ID,GENDER,DOB"
CODES = "ROW_ID,SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE"
SUMMARY = "Discharge summary"

NOTES_4 = "note_id,subject_id,hadm_id,note_type,note_seq,charttime,storetime,text"
DIAGNOSES_4 = "subject_id,hadm_id,seq_num,icd_code,icd_version"
PROCEDURES_4 = "subject_id,hadm_id,seq_num,chartdate,icd_code,icd_version"
ADMISSIONS_4 = "subject_id,hadm_id,admittime,dischtime"
PATIENTS_4 = "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod"


def raw_table(folder: Path, name: str, header: str, rows: list[str], end: str = ".csv.gz") -> Path:
    """Write a CSV table as it comes from a hospital."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{end}"
    content = "".join(f"{line}\n" for line in [header, *rows]).encode()
    path.write_bytes(gzip.compress(content) if end.endswith(".gz") else content)
    return path


def note(row, admission, text, category=SUMMARY, kind="Report", date="2101-01-02", error="") -> str:
    """Return a row of NOTEEVENTS."""
    return f'{row},1,{admission},{date},,,{category},{kind},,{error},"{text}"'


def hospital(
    folder: Path,
    notes: list[str],
    diagnoses: list[str],
    procedures: list[str] | None = None,
    admissions: list[str] | None = None,
    patients: list[str] | None = None,
) -> Path:
    """Write MIMIC-III's tables; code rows as ``admission,sequence,code``."""
    raw_table(folder, "NOTEEVENTS", NOTES, notes)
    raw_table(folder, "ADMISSIONS", ADMISSIONS, admissions or [])
    raw_table(folder, "PATIENTS", PATIENTS, patients or [])
    raw_table(folder, "DIAGNOSES_ICD", CODES, [f"1,1,{row}" for row in diagnoses])
    raw_table(folder, "PROCEDURES_ICD", CODES, [f"1,1,{row}" for row in procedures or []])
    return folder


def hospital_4(
    folder: Path, notes: list[str], diagnoses: list[str], procedures: list[str] | None = None
) -> Path:
    """Write MIMIC-IV's folders, two patients; code rows as in the release."""
    raw_table(folder / "note", "discharge", NOTES_4, notes)
    raw_table(folder / "hosp", "diagnoses_icd", DIAGNOSES_4, diagnoses)
    raw_table(folder / "hosp", "procedures_icd", PROCEDURES_4, procedures or [])
    stays = [f"{one // 10},{one},21{one}-05-01 10:00:00," for one in (10, 11, 20, 21)]
    raw_table(folder / "hosp", "admissions", ADMISSIONS_4, stays)
    patients = ["1,F,50,2108,2008 - 2010,", "2,m,91,2120,2011 - 2013,"]
    raw_table(folder / "hosp", "patients", PATIENTS_4, patients)
    return folder


def prepared(
    folder: Path,
    tmp_path: Path,
    adapter: str = "mimic3",
    kinds: list[str] | None = None,
    **settings: Any,
) -> tuple[pl.DataFrame, pl.DataFrame, Prepared]:
    """Prepare a corpus; return the tables of notes and labels as written, and what it says."""
    paths = tmp_path / "out" / "notes.parquet", tmp_path / "out" / "labels.parquet"
    done = prepare(folder, *paths, adapter=adapter, kinds=kinds or BOTH, **settings)
    return (
        read_table(paths[0], "corpus/prepared_notes"),
        read_table(paths[1], "corpus/labels"),
        done,
    )


def summaries(path: Path, tmp_path: Path, **joining: str) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return note_id, patient_id and text of the summaries of a NOTEEVENTS, and the counts."""
    settings = DEFAULT | joining
    with (tmp_path / "texts").open("w+b") as file:
        store = TextStore(file)
        documents, parts, counts = read_summaries(path, store, settings)
        unknown = [
            pl.lit(None, kind).alias(name)
            for name, kind in {
                "time": pl.Datetime("us"),
                "sex": pl.String,
                "age": pl.Float64,
                "official_split": pl.String,
            }.items()
        ]
        separator = {"newline": "\n", "space": " "}[settings["separator"]]
        batches = text_batches(
            documents.with_columns(unknown), parts, store, lambda text: text, separator
        )
        return pl.concat(batches).select("note_id", "patient_id", "text"), counts


def empty_store() -> TextStore:
    """Return a store for readers whose texts are not looked at; it cannot be read."""
    return TextStore(io.BytesIO())
