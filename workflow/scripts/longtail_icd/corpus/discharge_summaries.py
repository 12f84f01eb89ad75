"""The discharge summaries among the notes of MIMIC-III."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.corpus.joining import NOTE_ROW, digest_of, join_rows
from longtail_icd.corpus.raw_tables import clean_id, copied, scan_raw
from longtail_icd.corpus.text_store import TextStore

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
REASONS = ["rows", "other_category", "marked_as_error", "without_admission", "kept"]


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
    return own


def _note_rows(batch: pl.DataFrame, store: TextStore) -> pl.DataFrame:
    """Put a batch's texts into the store; return who they belong to and what orders them."""
    rows = batch.select(
        note_id=clean_id("HADM_ID"),
        patient_id=clean_id("SUBJECT_ID"),
        addendum=pl.col("DESCRIPTION").str.strip_chars().eq("Addendum").fill_null(False),
        time="CHARTTIME",
        tie="CHARTDATE",
        number=pl.col("ROW_ID").cast(pl.Int64, strict=False),
        digest=digest_of(pl.col("TEXT")),
    )
    return copied(rows.with_columns(stored=store.append(batch["TEXT"])).select(list(NOTE_ROW)))


def read_summaries(
    path: Path, store: TextStore, joining: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Read the discharge summaries of every admission; their texts go to the store.

    No text stays in memory: other notes, nine tenths of the table, are dropped as it is read.

    Returns:
        As :func:`join_rows`; the counts also say how many rows were read, dropped (by reason) and
        kept.

    Raises:
        UserError: a column is missing, the file is cut off, or it has no discharge summary.
    """
    counts = {f"note_{reason}": 0 for reason in REASONS}
    parts = [_note_rows(_select(batch, counts), store) for batch in scan_raw(path, COLUMNS)]
    if not counts["note_kept"]:
        raise UserError(
            f"{path}: no row has CATEGORY 'Discharge summary' and a HADM_ID; is this MIMIC-III's "
            "NOTEEVENTS? For labels without notes set corpus.notes: none"
        )
    documents, texts, joined = join_rows(pl.concat(parts), joining)
    return documents, texts, counts | joined
