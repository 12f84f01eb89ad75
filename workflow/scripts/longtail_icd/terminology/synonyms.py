"""Synonyms: what a code is called beside its title. Where from: terminology/sources.py."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.common.wordings import lowered, spoken
from longtail_icd.terminology.sources import read_wordings

MIN_CHARACTERS = 3
KEY = ["version", "kind", "code"]


def clean_synonyms(
    wordings: pl.DataFrame, titles: pl.DataFrame, sources: Sequence[str]
) -> pl.DataFrame:
    """Lower-case wordings, add their spoken form, drop repetitions and the title itself.

    Before: 428.0 ``CHF NOS`` (short_title), title ``Congestive heart failure, unspecified``.
    After: ``chf nos``, ``chf``; and ``congestive heart failure`` from the official title.

    Args:
        wordings: columns version, code, wording, source.
        titles: columns version, kind, code, title; wordings of other codes are dropped.
        sources: names of sources, the best first: it names a wording that several have.

    Returns:
        Columns version, kind, code, synonym, source: each synonym once per code.
    """
    both = wordings.select(
        "version",
        "code",
        "source",
        synonym=pl.concat_list(
            lowered(pl.col("wording")).alias("written"), spoken(pl.col("wording")).alias("spoken")
        ),
    ).explode("synonym")
    return (
        both.join(titles.select(*KEY, "title"), on=["version", "code"])
        .filter(pl.col("synonym") != lowered(pl.col("title")))
        .filter(pl.col("synonym").str.len_chars() >= MIN_CHARACTERS)
        .with_columns(pl.col("source").cast(pl.Enum(sources)))
        .sort(*KEY, "source", "synonym")
        .unique([*KEY, "synonym"], keep="first", maintain_order=True)
        .with_columns(pl.col("source").cast(pl.String))
        .select(*KEY, "synonym", "source")
    )


def extract_synonyms(
    codes: pl.DataFrame, sources: Sequence[str], files: Mapping[str, str | Path]
) -> pl.DataFrame:
    """Return the table `terminology/synonyms`; codes without another wording have no rows.

    Args:
        codes: a table `terminology/codes`: whose wordings are wanted, chapters and blocks apart.
        sources: names of sources (terminology/sources.py), the best first.
        files: the user's files by name.
    """
    versions = codes["version"].unique().sort().to_list()
    wordings = read_wordings(versions, sources, files)
    inside = codes.filter(pl.col("category").is_not_null())
    outside = wordings.join(inside, on=["version", "code"], how="anti").height
    print(f"{outside} of {wordings.height} wordings are of no code of the taxonomy: left out")
    synonyms = clean_synonyms(wordings, inside, sources)
    return synonyms.select(list(TABLES["terminology/synonyms"].columns))
