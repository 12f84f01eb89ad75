"""Where other wordings of codes come from, each source under its own name.

| source | icd9cm | icd10cm | icd10pcs |
| --- | --- | --- | --- |
| ``official`` | long title of V32 | title of the tabular list | |
| ``short_title`` | short title of V32 | | |
| ``icd10_title`` | titles of the ICD-10-CM codes it maps to | | |
| ``icd10_combination`` | titles of codes that only together match it | | |
| ``icd9_title`` | | titles of the ICD-9-CM codes it maps to | |
| ``icd9_combination`` | | titles of codes that only together match it | |
| ``alternative_title`` | | title of fiscal year 2024 | |
| ``inclusion_term`` | terms of the ICD-10-CM codes it maps to | its own terms | |
| ``inherited_term`` | | terms of the nodes above, up to the category | |
| ``index_term`` | | the user's alphabetic index | |
| ``d_icd`` | MIMIC's titles | MIMIC's titles | MIMIC's titles |
| ``umls`` | strings of its concepts | the same | the same |
"""

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from longtail_icd.common.code_systems import (
    gem_combinations,
    icd9_titles,
    icd10_titles,
    icd10cm_tree,
)
from longtail_icd.common.wordings import back_mapped_titles, icd9_wordings, inherited_terms
from longtail_icd.terminology.d_icd import read_d_icd
from longtail_icd.terminology.index_terms import read_index
from longtail_icd.terminology.umls import read_umls

COLUMNS = ["version", "code", "wording", "source"]


def _combined(pairs: pl.DataFrame, titles: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return the titles of codes that only together match a code, joined by ``and``.

    Args:
        pairs: columns code, targets.
        titles: columns code, title of the other code system.
        source: the source's name.
    """
    lines = pairs.with_row_index("row").explode("targets").with_row_index("place")
    known = lines.join(titles.rename({"code": "targets"}), on="targets", how="left")
    return (
        known.sort("place")
        .group_by("row", "code", maintain_order=True)
        .agg("title")
        .filter(pl.col("title").list.eval(pl.element().is_null()).list.any().not_())
        .select("code", wording=pl.col("title").list.unique(maintain_order=True).list.join(" and "))
        .with_columns(source=pl.lit(source))
    )


def _icd9cm(wanted: Collection[str]) -> list[pl.DataFrame]:
    parts = []
    if {"official", "short_title", "icd10_title", "inclusion_term"} & set(wanted):
        parts.append(icd9_wordings())
    if "icd10_combination" in wanted:
        titles = icd10_titles("icd10cm")
        parts.append(_combined(gem_combinations(), titles, "icd10_combination"))
    return parts


def _icd10cm(wanted: Collection[str]) -> list[pl.DataFrame]:
    parts = []
    if {"official", "inclusion_term", "inherited_term"} & set(wanted):
        tree = icd10cm_tree().filter(pl.col("category").is_not_null())
        parts.append(tree.select("code", wording="title", source=pl.lit("official")))
        parts.append(inherited_terms(tree))
    if "alternative_title" in wanted:
        titles = icd10_titles("icd10cm")
        source = pl.lit("alternative_title")
        parts.append(titles.select("code", wording="title", source=source))
    if {"icd9_title", "icd9_combination"} & set(wanted):
        titles = icd9_titles().filter(kind="diagnosis").select("code", "title")
        parts.append(back_mapped_titles(titles))
        pairs = gem_combinations(forward=False)
        parts.append(_combined(pairs, titles, "icd9_combination"))
    return parts


def _icd10pcs(wanted: Collection[str]) -> list[pl.DataFrame]:
    """Return nothing: the list of codes has one wording for each."""
    return []


PUBLIC = {"icd9cm": _icd9cm, "icd10cm": _icd10cm, "icd10pcs": _icd10pcs}


def _user_wordings(
    versions: Collection[str], wanted: Collection[str], files: Mapping[str, str | Path]
) -> list[pl.DataFrame]:
    """Return what the user's own files say, for those of the sources that are wanted."""
    parts = []
    if "index_term" in wanted:
        parts.append(read_index(files["index"]).with_columns(version=pl.lit("icd10cm")))
    if "d_icd" in wanted:
        parts.append(read_d_icd(files))
    if "umls" in wanted:
        parts.append(read_umls(files["umls"], versions))
    return [part.select(COLUMNS) for part in parts]


def read_wordings(
    versions: Collection[str], wanted: Collection[str], files: Mapping[str, str | Path]
) -> pl.DataFrame:
    """Return the wordings of every wanted source, as the sources write them.

    Args:
        versions: code systems.
        wanted: names of sources; one that a code system does not have is no error.
        files: the user's files by name (index, umls, d_icd_diagnoses, d_icd_procedures), those of
            the wanted sources at least.

    Returns:
        Columns version, code, wording, source.

    Raises:
        UserError: a user's file is unreadable.
    """
    parts = [pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))]
    for version in versions:
        for part in PUBLIC[version](wanted):
            parts.append(part.with_columns(version=pl.lit(version)).select(COLUMNS))
    parts.extend(_user_wordings(versions, wanted, files))
    return pl.concat(parts).filter(
        pl.col("source").is_in(list(wanted)) & pl.col("version").is_in(list(versions))
    )
