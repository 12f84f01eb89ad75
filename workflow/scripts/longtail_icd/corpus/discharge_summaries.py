"""The discharge summaries among the notes of MIMIC-III: one text per admission."""

from pathlib import Path

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.corpus.raw_tables import clean_id, scan_raw

COLUMNS = [
    "ROW_ID",
    "SUBJECT_ID",
    "HADM_ID",
    "CHARTDATE",
    "CHARTTIME",
    "CATEGORY",
    "DESCRIPTION",
    "ISERROR",
    "TEXT",
]
ORDER = ["note_id", "addendum", "CHARTTIME", "CHARTDATE", "row"]


def _select(batch: pl.DataFrame, counts: dict[str, int]) -> pl.DataFrame:
    """Keep a batch's discharge summaries that belong to an admission and are no error."""
    counts["note_rows"] += batch.height
    summaries = batch.filter(pl.col("CATEGORY").str.strip_chars() == "Discharge summary")
    counts["note_other_category"] += batch.height - summaries.height
    # The column holds 1 or nothing; 1.0 once it went through floats.
    marked = pl.col("ISERROR").str.strip_chars().is_in(["1", "1.0"]).fill_null(False)
    valid = summaries.filter(~marked)
    counts["note_marked_as_error"] += summaries.height - valid.height
    own = valid.filter(clean_id("HADM_ID").fill_null("") != "")
    counts["note_without_admission"] += valid.height - own.height
    counts["note_kept"] += own.height
    kept = own.select(
        "CHARTTIME",
        "CHARTDATE",
        note_id=clean_id("HADM_ID"),
        patient_id=clean_id("SUBJECT_ID"),
        addendum=pl.col("DESCRIPTION").str.strip_chars().eq("Addendum").fill_null(False),
        row=pl.col("ROW_ID").cast(pl.Int64, strict=False),
        text=pl.col("TEXT").fill_null(""),
    )
    # A filtered column of strings keeps the text of its whole batch alive; this copies what is
    # left and lets the batch go.
    return pl.from_arrow(kept.to_arrow(compat_level=pl.CompatLevel.oldest()))


def read_summaries(path: Path) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return note_id, patient_id and text of each admission with a discharge summary.

    Several summaries of one admission are joined by a line break: reports before addenda, then
    by CHARTTIME, CHARTDATE and ROW_ID. Only summaries are ever held in memory: other notes, nine
    tenths of the table, are dropped as it is read.

    Returns:
        The documents sorted by note_id, and how many rows were read, dropped (by reason) and kept.

    Raises:
        UserError: a column is missing, the file is cut off, or it has no discharge summary.
    """
    reasons = ["rows", "other_category", "marked_as_error", "without_admission", "kept", "addenda"]
    counts = {f"note_{reason}": 0 for reason in reasons}
    parts = [_select(batch, counts) for batch in scan_raw(path, COLUMNS)]
    if not counts["note_kept"]:
        raise UserError(
            f"{path}: no row has CATEGORY 'Discharge summary' and a HADM_ID; is this MIMIC-III's "
            "NOTEEVENTS? For labels without notes set corpus.notes: none"
        )
    rows = pl.concat(parts)
    counts["note_addenda"] = int(rows["addendum"].sum())
    documents = (
        rows.sort(ORDER, nulls_last=True)
        .group_by("note_id", maintain_order=True)
        .agg(pl.col("patient_id").first(), pl.col("text").str.join("\n"))
    )
    return documents, counts
