"""A simulated hospital in the tables of MIMIC-IV (2.2 and 3.1) and MIMIC-IV-Note (2.2)."""

import re
from dataclasses import replace

import numpy as np
import polars as pl

from longtail_icd.common.code_systems import icd9_titles, icd10_titles
from longtail_icd.common.codes import undotted
from longtail_icd.corpus.simulator.icd10_pool import SYSTEMS
from longtail_icd.corpus.simulator.stays import Stays
from longtail_icd.corpus.simulator.summaries import Block, Scribe

# Ids of MIMIC-IV have eight digits: patients from 10,000,000, admissions from 20,000,000.
SUBJECTS_FROM, ADMISSIONS_FROM = 9_990_000, 19_900_000
PADDED = 0.05  # share of codes with blanks behind them: the schema has CHAR(7)
MASK = re.compile(r"\[\*\*.*?\*\*\]", re.DOTALL)
COLUMNS = {
    "diagnoses_icd": "subject_id hadm_id seq_num icd_code icd_version",
    "procedures_icd": "subject_id hadm_id seq_num chartdate icd_code icd_version",
    "d_icd_diagnoses": "icd_code icd_version long_title",
    "d_icd_procedures": "icd_code icd_version long_title",
    "admissions": "subject_id hadm_id admittime dischtime deathtime admission_type "
    "admit_provider_id admission_location discharge_location insurance language marital_status "
    "race edregtime edouttime hospital_expire_flag",
    "patients": "subject_id gender anchor_age anchor_year anchor_year_group dod",
    "discharge": "note_id subject_id hadm_id note_type note_seq charttime storetime text",
}
CODE_TABLES = {"diagnosis": "diagnoses_icd", "procedure": "procedures_icd"}
TITLE_TABLES = {"diagnosis": "d_icd_diagnoses", "procedure": "d_icd_procedures"}
ICD_VERSION = pl.when(pl.col("version") == "icd9cm").then(9).otherwise(10)


def _table(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    columns = COLUMNS[name].split()
    missing = [pl.lit(None, dtype=pl.String).alias(one) for one in columns if one not in frame]
    return frame.with_columns(missing).select(columns)


def moved(stays: Stays) -> Stays:
    """Move the ids of patients and admissions to where MIMIC-IV has its."""
    subject = pl.col("SUBJECT_ID") + SUBJECTS_FROM
    admissions = stays.admissions.with_columns(subject, pl.col("HADM_ID") + ADMISSIONS_FROM)
    return replace(stays, patients=stays.patients.with_columns(subject), admissions=admissions)


def _code_table(rng: np.random.Generator, rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return diagnoses_icd or procedures_icd; some codes have blanks behind them."""
    padded = pl.Series(rng.random(rows.height) < PADDED)
    code = pl.col("ICD9_CODE")
    frame = rows.select(
        subject_id="SUBJECT_ID",
        hadm_id="HADM_ID",
        seq_num="SEQ_NUM",
        chartdate=pl.col("ADMITTIME").dt.strftime("%Y-%m-%d"),
        icd_code=pl.when(padded).then(code.str.pad_end(7)).otherwise(code),
        icd_version=ICD_VERSION,
    )
    return _table(frame, CODE_TABLES[kind])


def _title_tables() -> dict[str, pl.DataFrame]:
    """Return d_icd_diagnoses and d_icd_procedures of both code systems."""
    icd10 = [
        icd10_titles(version).select("code", "title", kind=pl.lit(kind), version=pl.lit(version))
        for version, kind in SYSTEMS.items()
    ]
    icd9 = icd9_titles().select("code", "title", "kind", version=pl.lit("icd9cm"))
    titles = pl.concat([icd9, *icd10]).select(
        "kind",
        icd_code=undotted(pl.col("code")),
        icd_version=ICD_VERSION,
        long_title="title",
    )
    return {name: _table(titles.filter(kind=kind), name) for kind, name in TITLE_TABLES.items()}


def _stay_tables(stays: Stays) -> dict[str, pl.DataFrame]:
    """Return admissions and patients."""
    names = {column: column.lower() for column in stays.admissions.columns}
    admissions = stays.admissions.rename(names | {"ETHNICITY": "race"})
    people = stays.patients.select(
        subject_id="SUBJECT_ID",
        gender="GENDER",
        anchor_age=(pl.col("first") - pl.col("DOB")).dt.total_days() // 365,
        anchor_year=pl.col("first").dt.year(),
        anchor_year_group=pl.lit("2014 - 2016"),
    )
    return {"admissions": _table(admissions, "admissions"), "patients": _table(people, "patients")}


def tables(
    rng: np.random.Generator, codes: dict[str, pl.DataFrame], stays: Stays
) -> dict[str, pl.DataFrame]:
    """Return the tables of the folder hosp.

    Args:
        rng: source of chance.
        codes: by kind, one row per code: SUBJECT_ID, HADM_ID, SEQ_NUM, ICD9_CODE (of any version,
            undotted), version, ADMITTIME.
        stays: with the ids of MIMIC-IV.
    """
    return {
        **{CODE_TABLES[kind]: _code_table(rng, rows, kind) for kind, rows in codes.items()},
        **_title_tables(),
        **_stay_tables(stays),
    }


class DischargeNotes:
    """Writes the notes of a block as rows of MIMIC-IV-Note's discharge: one per admission."""

    quotes = "necessary"

    def __init__(self, scribe: Scribe):
        self._scribe = scribe

    def frame(self, rng: np.random.Generator, block: Block) -> pl.DataFrame:
        """Write the block's summaries; what is masked in them reads ``___``."""
        lengths = self._scribe.draw_lengths(rng, block)
        texts = [
            MASK.sub("___", self._scribe.summary(rng, admission, own, words))
            for admission, own, words in zip(block.admissions, block.labels, lengths, strict=True)
        ]
        admissions = pl.DataFrame(block.admissions)
        subject, sequence = pl.col("SUBJECT_ID").cast(pl.String), pl.col("NOTE_SEQ")
        discharged = pl.col("DISCHTIME").dt.truncate("1d")
        notes = admissions.select(
            note_id=subject + "-DS-" + sequence.cast(pl.String),
            subject_id="SUBJECT_ID",
            hadm_id="HADM_ID",
            note_type=pl.lit("DS"),
            note_seq=sequence,
            charttime=discharged,
            storetime=discharged + pl.duration(hours=30),
            text=pl.Series(texts, dtype=pl.String),
        )
        return _table(notes[rng.permutation(notes.height)], "discharge")
