"""MIMIC-IV v2.2 and v3.1 with MIMIC-IV-Note: the admissions coded in one edition of ICD."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from longtail_icd.common.codes import SYSTEMS
from longtail_icd.common.errors import UserError
from longtail_icd.corpus.code_rows import label_rows
from longtail_icd.corpus.joining import DEFAULT, NOTE_ROW, digest_of, join_rows
from longtail_icd.corpus.prepared import (
    DOCUMENT,
    NO_PARTS,
    Source,
    first_of_each,
    with_admissions,
)
from longtail_icd.corpus.raw_files import MIMIC4_CODE_TABLES, find_mimic4_table
from longtail_icd.corpus.raw_tables import clean_id, copied, read_raw, scan_raw
from longtail_icd.corpus.text_store import TextStore

RELEASE = "MIMIC-IV"
ICD_VERSION = {"icd9": "9", "icd10": "10"}
OLDEST = 90.0  # years; as for MIMIC-III (the release writes 91 for everybody over 89)
TIME = "%Y-%m-%d %H:%M:%S"
REPORT = "DS"  # the other type of the table is AD, an addendum
NOTE_COLUMNS = ["note_id", "subject_id", "hadm_id", "note_type", "note_seq", "charttime", "text"]
CODE_COLUMNS = ["hadm_id", "seq_num", "icd_code", "icd_version"]


def read_labels(
    folder: str | Path, kinds: list[str], edition: str
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the table corpus/labels of one edition's codes, and what was dropped on the way.

    Before: ``hadm_id 7, seq_num 1, icd_code "I10    ", icd_version 10``. After: ``note_id 7, code
    I10, version icd10cm, kind diagnosis, position 1``.
    """
    parts, counts = [], {}
    for kind in kinds:
        path = find_mimic4_table(folder, MIMIC4_CODE_TABLES[kind])
        rows, others = [], 0
        for batch in scan_raw(path, CODE_COLUMNS, release=RELEASE):
            own = batch.filter(clean_id("icd_version") == ICD_VERSION[edition])
            others += batch.height - own.height
            sequence = pl.col("seq_num").cast(pl.Float64, strict=False)
            rows.append(own.select(note_id=clean_id("hadm_id"), code="icd_code", sequence=sequence))
        empty = {"note_id": pl.String, "code": pl.String, "sequence": pl.Float64}
        whole = pl.concat([pl.DataFrame(schema=empty), *rows])
        labels, dropped = label_rows(whole, SYSTEMS[edition][kind], kind)
        dropped[f"{kind}_rows"] += others
        counts |= {**dropped, f"{kind}_of_other_version": others}
        parts.append(labels)
    return pl.concat(parts), counts


def read_admissions(folder: str | Path) -> pl.DataFrame:
    """Return note_id, patient_id, time (of admission), sex and age of every admission.

    Age is that at admission, in whole years: the release gives it for one year of each patient.
    """
    path = find_mimic4_table(folder, "admissions")
    admissions = read_raw(path, ["hadm_id", "subject_id", "admittime"], release=RELEASE).select(
        note_id=clean_id("hadm_id"),
        patient_id=clean_id("subject_id"),
        time=pl.col("admittime").str.to_datetime(TIME, time_unit="us", strict=False),
    )
    columns = ["subject_id", "gender", "anchor_age", "anchor_year"]
    path = find_mimic4_table(folder, "patients")
    patients = read_raw(path, columns, release=RELEASE).select(
        patient_id=clean_id("subject_id"),
        sex=pl.col("gender").str.strip_chars().str.to_uppercase(),
        anchor_age=pl.col("anchor_age").cast(pl.Float64, strict=False),
        anchor_year=pl.col("anchor_year").cast(pl.Float64, strict=False),
    )
    age = pl.col("anchor_age") + pl.col("time").dt.year() - pl.col("anchor_year")
    return (
        first_of_each(admissions, "note_id")
        .join(first_of_each(patients, "patient_id"), on="patient_id", how="left")
        .with_columns(age=pl.min_horizontal(age, pl.when(age.is_not_null()).then(OLDEST)))
        .drop("anchor_age", "anchor_year")
        .sort("note_id")
    )


def _note_rows(batch: pl.DataFrame, store: TextStore, counts: dict[str, int]) -> pl.DataFrame:
    """Put a batch's texts into the store; return who they belong to and what orders them."""
    own = batch.filter(clean_id("hadm_id").fill_null("") != "")
    counts["note_rows"] += batch.height
    counts["note_without_admission"] += batch.height - own.height
    rows = own.select(
        note_id=clean_id("hadm_id"),
        patient_id=clean_id("subject_id"),
        addendum=pl.col("note_type").str.strip_chars().ne(REPORT).fill_null(False),
        time="charttime",
        tie="note_id",
        number=pl.col("note_seq").cast(pl.Int64, strict=False),
        digest=digest_of(pl.col("text")),
    )
    return copied(rows.with_columns(stored=store.append(own["text"])).select(list(NOTE_ROW)))


def read_notes(
    path: Path, coded: pl.DataFrame, store: TextStore, joining: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Read the discharge summaries of admissions with codes; all texts go to the store.

    Args:
        path: the table discharge.
        coded: note_id of the admissions that have codes of the edition.
        store: takes the texts.
        joining: how several notes of one admission are ordered.

    Returns:
        As :func:`longtail_icd.corpus.joining.join_rows`.

    Raises:
        UserError: a column is missing, the file is cut off, or no note has a coded admission.
    """
    counts = {"note_rows": 0, "note_without_admission": 0}
    batches = scan_raw(path, NOTE_COLUMNS, release="MIMIC-IV-Note")
    rows = pl.concat(
        [pl.DataFrame(schema=NOTE_ROW), *(_note_rows(b, store, counts) for b in batches)]
    )
    own = rows.join(coded, on="note_id", how="semi")
    counts["note_without_codes_of_version"] = rows.height - own.height
    counts["note_kept"] = own.height
    if not own.height:
        raise UserError(
            f"{path}: no note belongs to an admission with codes of corpus.edition; are hosp and "
            "note of one release?"
        )
    documents, texts, joined = join_rows(own, joining)
    return documents, texts, counts | joined


def read_mimic4(
    folder: str | Path,
    kinds: list[str],
    notes: str,
    edition: str,
    store: TextStore,
    joining: Mapping[str, str] = DEFAULT,
) -> Source:
    """Read a folder that holds ``hosp`` of MIMIC-IV and ``note`` of MIMIC-IV-Note.

    An admission is coded in one edition of ICD; one without codes of this edition is no document.

    Args:
        folder: the release.
        kinds: of codes to keep.
        notes: ``discharge``, or ``none``: coded admissions with an empty text.
        edition: ``icd9`` or ``icd10``.
        store: takes the texts.
        joining: how several notes of one admission are ordered.

    Raises:
        UserError: a table or column is missing, a file is cut off, or nothing fits together.
    """
    labels, counts = read_labels(folder, kinds, edition)
    coded = labels.select("note_id").unique()
    admissions = read_admissions(folder)
    if notes == "none":
        documents = admissions.join(coded, on="note_id", how="semi", maintain_order="left")
        parts = NO_PARTS
    else:
        path = find_mimic4_table(folder, "discharge")
        own, parts, read = read_notes(path, coded, store, joining)
        counts |= read
        documents, unknown = with_admissions(own, admissions)
        counts["documents_without_admission_row"] = unknown
    documents = documents.with_columns(official_split=pl.lit(None, dtype=pl.String))
    return Source(documents.select(list(DOCUMENT)), parts, labels, counts)
