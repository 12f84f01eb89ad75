"""The table corpus/prepared_notes, written group by group: never all texts at once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from longtail_icd.common.files import atomic_path
from longtail_icd.common.tables import TABLES
from longtail_icd.corpus.text_store import TextStore

TABLE = TABLES["corpus/prepared_notes"]
GROUP = 2048  # documents of a row group: some 20 MB of discharge summaries


def text_batches(
    documents: pl.DataFrame,
    parts: pl.DataFrame,
    store: TextStore,
    recipe: Callable[[pl.Expr], pl.Expr],
    separator: str,
) -> Iterator[pl.DataFrame]:
    """Yield the documents with their texts, some at a time.

    Args:
        documents: in the order wanted.
        parts: note_id, stored: the texts of each document, in their order.
        store: holds the texts.
        recipe: is applied to the joined text.
        separator: between the texts of one document.
    """
    place = documents.select("note_id").with_row_index("document")
    ordered = parts.join(place, on="note_id", maintain_order="left")
    ordered = ordered.sort("document", maintain_order=True)
    starts = range(0, documents.height, GROUP)
    bounds = np.searchsorted(ordered["document"].to_numpy(), [*starts, documents.height])
    for start, first, last in zip(starts, bounds, bounds[1:], strict=False):
        own = ordered[int(first) : int(last)]
        texts = (
            own.select("document", text=store.read(own["stored"].to_numpy()))
            .group_by("document", maintain_order=True)
            .agg(pl.col("text").str.join(separator))
        )
        yield (
            documents[start : start + GROUP]
            .with_row_index("document", offset=start)
            .join(texts, on="document", how="left", maintain_order="left")
            .with_columns(text=recipe(pl.col("text").fill_null("")))
            .select(list(TABLE.columns))
        )


def write_notes(batches: Iterator[pl.DataFrame], path: str | Path) -> None:
    """Write batches of ``GROUP`` rows as the table corpus/prepared_notes, a row group each."""

    def source(*_: object) -> Iterator[pl.DataFrame]:
        # Asked for columns or rows it could leave out; writing the table wants them all.
        yield from batches

    with atomic_path(path) as temporary:
        frame = register_io_source(source, schema=TABLE.columns)
        frame.sink_parquet(temporary, compression="zstd", row_group_size=GROUP)
