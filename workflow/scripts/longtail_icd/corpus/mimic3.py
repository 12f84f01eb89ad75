"""MIMIC-III v1.4 code tables: strings with their leading zeros, dotted, each code once."""

from pathlib import Path

import polars as pl

from longtail_icd.common.codes import dotted
from longtail_icd.common.errors import UserError

CODE_TABLES = {"diagnosis": "DIAGNOSES_ICD", "procedure": "PROCEDURES_ICD"}


def find_table(folder: str | Path, name: str) -> Path:
    """Return ``NAME.csv.gz`` or ``NAME.csv`` in ``folder``.

    Raises:
        UserError: there is neither.
    """
    for ending in (".csv.gz", ".csv"):
        path = Path(folder) / f"{name}{ending}"
        if path.is_file():
            return path
    raise UserError(f"{folder}: no {name}.csv.gz; corpus.path must hold the tables of MIMIC-III")


def read_raw(path: Path, columns: list[str]) -> pl.DataFrame:
    """Read columns of a raw table as strings; headers may be in upper or lower case.

    Raises:
        UserError: a column is missing, or the file is cut off or no CSV.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(f"{path}: cannot be read to its end as CSV; download it again") from None
    frame = frame.rename({column: column.upper() for column in frame.columns})
    for column in columns:
        if column not in frame.columns:
            raise UserError(f"{path}: column {column} is missing; MIMIC-III v1.4 has it")
    return frame.select(columns)


def read_labels(folder: str | Path, kinds: list[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the table corpus/labels and what was dropped on the way.

    Before: ``HADM_ID 100, SEQ_NUM 1, ICD9_CODE 0117`` (a procedure). After: ``note_id 100, code
    01.17, version icd9cm, kind procedure``. Null codes and repeated codes of one admission are
    dropped and counted, by kind.
    """
    parts, counts = [], {}
    for kind in kinds:
        raw = read_raw(find_table(folder, CODE_TABLES[kind]), ["HADM_ID", "SEQ_NUM", "ICD9_CODE"])
        coded = raw.filter(pl.col("ICD9_CODE").str.strip_chars().fill_null("") != "")
        labels = coded.select(
            note_id="HADM_ID",
            code=dotted(pl.col("ICD9_CODE"), "icd9cm", kind),
            version=pl.lit("icd9cm"),
            kind=pl.lit(kind),
            position=pl.col("SEQ_NUM").cast(pl.Int32),
        ).sort("note_id", "position")
        once = labels.unique(["note_id", "code"], keep="first", maintain_order=True)
        counts[f"{kind}_rows"] = raw.height
        counts[f"{kind}_without_code"] = raw.height - coded.height
        counts[f"{kind}_repeated"] = labels.height - once.height
        parts.append(once)
    return pl.concat(parts), counts
