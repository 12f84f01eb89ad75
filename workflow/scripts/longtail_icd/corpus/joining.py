"""How the notes of one admission become one text.

| recipe | order | separator | identical |
| --- | --- | --- | --- |
| Mullenbach et al. (2018) | rows (the release's own) | space | keep |
| Vu et al. (2020, LAAT) | rows | space | drop |
| Edin et al. (2023, 2024) | reports_first | space | keep |
| GKI-ICD (2025) | rows | newline | keep |
| this project's default | reports_first | newline | keep |
"""

from collections.abc import Mapping

import polars as pl

# What the rows of an admission are sorted by. Rows that agree even in the hash of their text are
# the same, so that no order depends on that of the file.
ORDERS = {
    "reports_first": ["addendum", "time", "tie", "number", "digest"],
    "rows": ["number", "tie", "digest"],
}
SEPARATORS = {"newline": "\n", "space": " "}
DEFAULT = {"order": "reports_first", "separator": "newline", "identical": "keep"}

# One row per kept note of the source: who, what orders it (tie: among notes of one time), where
# its text lies and its hash.
NOTE_ROW = {
    "note_id": pl.String,
    "patient_id": pl.String,
    "addendum": pl.Boolean,
    "time": pl.String,
    "tie": pl.String,
    "number": pl.Int64,
    "stored": pl.Int64,
    "digest": pl.UInt64,
}


def digest_of(text: pl.Expr) -> pl.Expr:
    """Return a 64-bit hash: equal within one admission means the same text."""
    return text.fill_null("").hash(seed=1)


def join_rows(
    rows: pl.DataFrame, joining: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Sort the rows of each admission as configured.

    Before: rows 7 (addendum), 8, 9 of admission 100, in any order. After, reports_first:
    parts 8, 9, 7; rows: parts 7, 8, 9.

    Args:
        rows: columns as in ``NOTE_ROW``.
        joining: order, and whether the same text twice is kept.

    Returns:
        Documents (note_id, patient_id) and parts (note_id, stored), both sorted by note_id, and
        how many rows are addenda and how many identical ones were dropped.
    """
    parts = rows.sort("note_id", *ORDERS[joining["order"]], nulls_last=True)
    if joining["identical"] == "drop":
        parts = parts.unique(["note_id", "digest"], keep="first", maintain_order=True)
    counts = {
        "note_addenda": int(rows["addendum"].sum()),
        "note_identical_dropped": rows.height - parts.height,
    }
    documents = parts.unique("note_id", keep="first", maintain_order=True)
    return documents.select("note_id", "patient_id"), parts.select("note_id", "stored"), counts
