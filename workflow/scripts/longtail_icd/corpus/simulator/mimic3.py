"""The tables of a simulated MIMIC-III beside its notes."""

import polars as pl

from longtail_icd.common.code_systems import icd9_titles
from longtail_icd.common.codes import undotted
from longtail_icd.corpus.raw_files import CODE_TABLES
from longtail_icd.corpus.simulator.mimic_tables import TITLES_OF_KIND, mimic_table
from longtail_icd.corpus.simulator.stays import Stays


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


def mimic3_tables(codes: dict[str, pl.DataFrame], stays: Stays) -> dict[str, pl.DataFrame]:
    """Return every table but NOTEEVENTS.

    Args:
        codes: by kind, one row per code: SUBJECT_ID, HADM_ID, SEQ_NUM, ICD9_CODE.
        stays: patients and admissions.
    """
    admissions = stays.admissions.with_columns(DIAGNOSIS=pl.lit("SEE SUMMARY"))
    return {
        **{CODE_TABLES[kind]: mimic_table(rows, CODE_TABLES[kind]) for kind, rows in codes.items()},
        **_title_tables(),
        "ADMISSIONS": mimic_table(admissions, "ADMISSIONS"),
        "PATIENTS": mimic_table(stays.patients, "PATIENTS"),
    }
