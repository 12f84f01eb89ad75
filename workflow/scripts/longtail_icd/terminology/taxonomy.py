"""The taxonomy: every node of the code systems, headings included, with its title and place.

| version | chapter | block | category |
| --- | --- | --- | --- |
| icd9cm diagnosis | range of categories | range of categories | 3 characters; E codes 4 |
| icd9cm procedure | range of categories | the chapter | 2 digits |
| icd10cm | number | range of categories | 3 characters |
| icd10pcs | section (1 character) | body system (2) | table (3) |

Sources: CMS V32 titles; ranges in `resources/icd9_ranges.csv`; the CDC tabular list of April 2026
and the ICD-10-CM titles of fiscal year 2024 for codes deleted since; ICD-10-PCS 2024. The user may
add titles of ICD-9-CM headings and MIMIC's own titles of codes (docs/terminology.md).
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.terminology.headings import Given
from longtail_icd.terminology.icd9cm import icd9cm_nodes
from longtail_icd.terminology.icd10 import icd10cm_nodes, icd10pcs_nodes
from longtail_icd.terminology.lookup import describe_unknown

COLUMNS = list(TABLES["terminology/codes"].columns)


def add_codes(codes: pl.DataFrame, titles: pl.DataFrame) -> pl.DataFrame:
    """Add the codes that a hospital's own list of titles has and the taxonomy lacks.

    Such codes were deleted from the classification since. They stand under their nearest known
    prefix, with the hospital's title: ``title_source`` is ``d_icd``.

    Args:
        codes: a table `terminology/codes`.
        titles: columns version, kind, code, wording; the best title of a code first.
    """
    own = titles.join(codes.select("version").unique(), on="version", how="semi")
    best = own.unique(["version", "code"], keep="first", maintain_order=True)
    added = describe_unknown(codes, best).join(
        best.select("version", "code", "wording"), on=["version", "code"], maintain_order="left"
    )
    added = added.with_columns(title="wording", title_source=pl.lit("d_icd"))
    return pl.concat([codes, added.select(COLUMNS)]).sort("version", "kind", "code")


def extract_taxonomy(
    versions: Sequence[str], ranges_path: str | Path, headings: Given | None = None
) -> pl.DataFrame:
    """Return the table `terminology/codes` for code systems, sorted by version, kind and code.

    Every node is there once, its parent too, and every title is non-empty; ``title_source`` says
    where the title comes from: an official list (``cms_v32``, ``cdc_2026``, ``cms_2024``), the
    table of ranges (``ranges``), the values of ICD-10-PCS (``pcs_values``), the user's file
    (``headings_file``), or the titles around the node (``unspecified_code``, ``common_words``,
    ``node_above``).

    Args:
        versions: code systems.
        ranges_path: the table of ICD-9-CM chapters and blocks.
        headings: titles of ICD-9-CM headings, where the user has them.
    """
    readers = {
        "icd9cm": partial(icd9cm_nodes, ranges_path, headings or Given()),
        "icd10cm": icd10cm_nodes,
        "icd10pcs": icd10pcs_nodes,
    }
    parts = [readers[version]().select(COLUMNS) for version in versions]
    return pl.concat(parts).sort("version", "kind", "code")
