"""What an adapter hands over, and what is left once the rules of a corpus have been applied."""

from dataclasses import dataclass

import polars as pl

# The columns of corpus/prepared_notes without the text.
DOCUMENT = {
    "note_id": pl.String,
    "patient_id": pl.String,
    "time": pl.Datetime("us"),
    "sex": pl.String,
    "age": pl.Float64,
    "official_split": pl.String,
}
# A corpus without notes: its documents have no texts.
NO_PARTS = pl.DataFrame(schema={"note_id": pl.String, "stored": pl.Int64})


def first_of_each(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return one row per key, whatever the order they came in."""
    return rows.sort(rows.columns, nulls_last=True).unique(key, keep="first", maintain_order=True)


def with_admissions(summaries: pl.DataFrame, admissions: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the documents with their admission's facts, and how many admissions are unknown.

    The note knows its patient even where the admission's row is missing.
    """
    documents = summaries.join(
        admissions.drop("patient_id"), on="note_id", how="left", maintain_order="left"
    )
    return documents, summaries.join(admissions, on="note_id", how="anti").height


@dataclass(frozen=True)
class Source:
    """A corpus as an adapter reads it. Its texts lie in a :class:`TextStore`.

    Attributes:
        documents: one row each, sorted by note_id; columns as in ``DOCUMENT``.
        parts: note_id, stored: the stored texts that make up a document, in their order.
        labels: the table corpus/labels; may hold codes of admissions that have no document.
        counts: rows read, dropped (by reason) and kept.
    """

    documents: pl.DataFrame
    parts: pl.DataFrame
    labels: pl.DataFrame
    counts: dict[str, int]


@dataclass(frozen=True)
class Prepared:
    """A corpus whose tables have been written.

    Attributes:
        notes: the table corpus/prepared_notes without its text, which lies in the file only.
        labels: the table corpus/labels.
        counts: rows read, dropped (by reason) and kept.
    """

    notes: pl.DataFrame
    labels: pl.DataFrame
    counts: dict[str, int]
