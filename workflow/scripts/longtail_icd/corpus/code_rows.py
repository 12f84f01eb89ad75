"""Rows of a code table to labels: dots, nulls, repetitions, positions."""

import polars as pl

from longtail_icd.common.codes import dotted

PER_KIND = ["note_id", "kind"]


def numbered(labels: pl.DataFrame) -> pl.DataFrame:
    """Return sorted labels with their position: from 1 within each document and kind."""
    position = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(PER_KIND)
    return labels.with_columns(position=position)


def label_rows(rows: pl.DataFrame, version: str, kind: str) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the table corpus/labels of one kind of code, each code of a document once.

    Before: ``note_id 100, code 0117, sequence 1`` (an ICD-9-CM procedure), twice. After: ``note_id
    100, code 01.17, version icd9cm, kind procedure, position 1``, once.

    Args:
        rows: note_id, code (as the source writes it), sequence (number; the order of the codes).
        version: the code system.
        kind: ``diagnosis`` or ``procedure``.

    Returns:
        The labels, and how many rows there were, had no code, repeated a code.
    """
    coded = rows.filter(pl.col("code").str.strip_chars().fill_null("") != "")
    labels = coded.select(
        "note_id",
        "sequence",
        code=dotted(pl.col("code"), version, kind),
        version=pl.lit(version),
        kind=pl.lit(kind),
    ).sort("note_id", "sequence", "code", nulls_last=True)
    once = labels.unique(["note_id", "code"], keep="first", maintain_order=True)
    counts = {
        f"{kind}_rows": rows.height,
        f"{kind}_without_code": rows.height - coded.height,
        f"{kind}_repeated": labels.height - once.height,
    }
    return numbered(once).select("note_id", "code", "version", "kind", "position"), counts
