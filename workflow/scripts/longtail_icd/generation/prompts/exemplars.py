"""Real train notes for prompts: the text of what the plan names by note and position."""

import polars as pl

# An example is cut here: it shows style and structure, and a long one costs throughput.
EXEMPLAR_CHARACTERS = 8000
OMISSION = "\n[...]\n"  # between two excerpts


def shorten(text: str | None, characters: int = EXEMPLAR_CHARACTERS) -> str | None:
    """Return the note, cut at a word's end if it is longer; None for no text."""
    if text is None or not text.strip():
        return None
    if len(text) <= characters:
        return text.strip()
    return text[:characters].rsplit(maxsplit=1)[0].strip()


def texts_of(wanted: pl.Series, notes: pl.LazyFrame) -> pl.DataFrame:
    """Return note_id and text of the wanted notes; only those are read.

    Args:
        wanted: note ids, repeated and null ones too.
        notes: a table `corpus/notes`, train split.
    """
    ids = wanted.drop_nulls().unique()
    found = notes.filter(pl.col("note_id").is_in(ids.implode()))
    return found.select("note_id", "text").collect()


def note_texts(exemplars: pl.DataFrame, notes: pl.LazyFrame) -> dict[str, str | None]:
    """Return per request the whole text of its example notes; requests without one are missing.

    Args:
        exemplars: a table `plan/exemplars`, the requests of interest only.
        notes: a table `corpus/notes`, train split; only the notes asked for are read.
    """
    wanted = exemplars.select("request_id", note_id="exemplar_note_ids").explode(
        "note_id", empty_as_null=False
    )
    found = wanted.join(
        texts_of(wanted["note_id"], notes), on="note_id", maintain_order="left"
    ).group_by("request_id", maintain_order=True)
    return dict(found.agg(pl.col("text").str.join("\n")).iter_rows())


def exemplar_texts(exemplars: pl.DataFrame, notes: pl.LazyFrame) -> dict[str, str | None]:
    """Return per request what its prompt shows of real notes; requests without are missing.

    The excerpts, those of one note after another, or the best note as a whole where the table has
    none.

    Args:
        exemplars: a table `plan/exemplars`, the requests of interest only.
        notes: a table `corpus/notes`, train split; only the notes asked for are read.
    """
    whole = exemplars.filter(pl.col("excerpts").list.len() == 0).with_columns(
        pl.col("exemplar_note_ids").list.head(1)
    )
    spans = (
        exemplars.select("request_id", "excerpts")
        .explode("excerpts", empty_as_null=False)
        .unnest("excerpts")
    )
    passage = pl.col("text").str.slice(pl.col("start"), pl.col("end") - pl.col("start"))
    shown = (
        spans.join(texts_of(spans["note_id"], notes), on="note_id", maintain_order="left")
        .group_by("request_id", maintain_order=True)
        .agg(passage.str.strip_chars().str.join(OMISSION))
    )
    return note_texts(whole, notes) | dict(shown.iter_rows())
