"""MIMIC's own titles of codes: the tables D_ICD_DIAGNOSES and D_ICD_PROCEDURES."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from longtail_icd.common.codes import dotted
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import KINDS

VERSIONS_OF_IV = {("9", kind): "icd9cm" for kind in KINDS} | {
    ("10", "diagnosis"): "icd10cm",
    ("10", "procedure"): "icd10pcs",
}
COLUMNS = ["version", "kind", "code", "wording", "source"]


def _read_table(path: Path, kind: str) -> pl.DataFrame:
    """Return version, kind, code, wording of one table, MIMIC-III's or MIMIC-IV's."""
    try:
        raw = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(f"{path}: cannot be read to its end as CSV; download it again") from None
    table = raw.rename({name: name.lower() for name in raw.columns})
    if "icd9_code" in table.columns:  # MIMIC-III
        table = table.with_columns(icd_code="icd9_code", icd_version=pl.lit("9"))
    for column in ("icd_code", "icd_version", "long_title"):
        if column not in table.columns:
            raise UserError(f"{path}: column {column} is missing; no table of MIMIC's code titles")
    titles = ["long_title", *(["short_title"] if "short_title" in table.columns else [])]
    parts = []
    for (number, own), version in VERSIONS_OF_IV.items():
        if own == kind:
            part = table.filter(pl.col("icd_version").str.strip_chars() == number)
            code = dotted(pl.col("icd_code"), version, kind).alias("code")
            parts.append(part.select(code, *titles, version=pl.lit(version), kind=pl.lit(kind)))
    return pl.concat(parts).unpivot(titles, index=["version", "kind", "code"], value_name="wording")


def read_d_icd(paths: Mapping[str, str | Path]) -> pl.DataFrame:
    """Return MIMIC's titles of codes, the long before the short.

    Args:
        paths: ``d_icd_diagnoses`` and ``d_icd_procedures``; may hold other files.

    Returns:
        Columns version, kind, code, wording, source ``d_icd``.

    Raises:
        UserError: a file cannot be read or lacks a column.
    """
    tables = [
        _read_table(Path(paths["d_icd_diagnoses"]), "diagnosis"),
        _read_table(Path(paths["d_icd_procedures"]), "procedure"),
    ]
    return pl.concat(tables).with_columns(source=pl.lit("d_icd")).drop_nulls().select(COLUMNS)
