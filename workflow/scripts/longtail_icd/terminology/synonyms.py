"""Synonyms: what a code is called beside its title, from public sources only (no UMLS)."""

import polars as pl

from longtail_icd.common.code_systems import icd9_titles, icd10_titles, icd10cm_tree
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.common.wordings import icd9_wordings, inherited_terms, lowered, spoken

# The best source names a wording that several sources have.
SOURCES = (
    "official",
    "short_title",
    "icd10_title",
    "alternative_title",
    "inclusion_term",
    "inherited_term",
)
MIN_CHARACTERS = 3


def clean_synonyms(wordings: pl.DataFrame, titles: pl.DataFrame) -> pl.DataFrame:
    """Lower-case wordings, add their spoken form, drop repetitions and the title itself.

    Before: 428.0 ``CHF NOS`` (short_title), title ``Congestive heart failure, unspecified``.
    After: ``chf nos``, ``chf``; and ``congestive heart failure`` from the official title.

    Args:
        wordings: columns kind, code, wording, source.
        titles: columns kind, code, title.

    Returns:
        Columns kind, code, synonym, source: each synonym once per code, best source first.
    """
    both = wordings.select(
        "kind",
        "code",
        "source",
        synonym=pl.concat_list(
            lowered(pl.col("wording")).alias("written"), spoken(pl.col("wording")).alias("spoken")
        ),
    ).explode("synonym")
    return (
        both.join(titles, on=["kind", "code"])
        .filter(pl.col("synonym") != lowered(pl.col("title")))
        .filter(pl.col("synonym").str.len_chars() >= MIN_CHARACTERS)
        .with_columns(pl.col("source").cast(pl.Enum(SOURCES)))
        .sort("kind", "code", "source", "synonym")
        .unique(["kind", "code", "synonym"], keep="first", maintain_order=True)
        .with_columns(pl.col("source").cast(pl.String))
        .select("kind", "code", "synonym", "source")
    )


def _icd9cm() -> pl.DataFrame:
    return clean_synonyms(icd9_wordings(), icd9_titles())


def _icd10cm() -> pl.DataFrame:
    """Alternative titles are those of fiscal year 2024 where the list of 2026 says it otherwise."""
    tree = icd10cm_tree()
    columns = ["code", "wording", "source"]
    wordings = pl.concat(
        [
            tree.select("code", wording="title", source=pl.lit("official")),
            icd10_titles("icd10cm").select(
                "code", wording="title", source=pl.lit("alternative_title")
            ),
            inherited_terms(tree).select(columns),
        ]
    )
    kind = pl.lit("diagnosis").alias("kind")
    inside = tree.filter(pl.col("category").is_not_null())
    return clean_synonyms(wordings.select(kind, *columns), inside.select(kind, "code", "title"))


def extract_synonyms(versions: list[str]) -> pl.DataFrame:
    """Return the table `terminology/synonyms` for code systems; ICD-10-PCS has none.

    Codes that have no other wording have no rows.
    """
    readers = {"icd9cm": _icd9cm, "icd10cm": _icd10cm}
    parts = [
        readers[version]().with_columns(version=pl.lit(version))
        for version in versions
        if version in readers
    ]
    columns = list(TABLES["terminology/synonyms"].columns)
    return pl.concat(
        [empty_table("terminology/synonyms"), *(part.select(columns) for part in parts)]
    )
