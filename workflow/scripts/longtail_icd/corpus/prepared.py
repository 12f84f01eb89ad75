"""What an adapter hands over, whatever the source."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Prepared:
    """One corpus: its documents, their codes, and what was read and dropped.

    Attributes:
        notes: the table corpus/prepared_notes.
        labels: the table corpus/labels; may hold codes of admissions that have no document.
        counts: rows read, dropped (by reason) and kept.
    """

    notes: pl.DataFrame
    labels: pl.DataFrame
    counts: dict[str, int]
