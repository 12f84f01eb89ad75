"""ICD-10-CM from the tabular list, and ICD-10-PCS with headings by prefix."""

import polars as pl

from longtail_icd.common.code_systems import icd10_titles, icd10cm_tree
from longtail_icd.common.tables import TABLES
from longtail_icd.terminology.headings import Given, codes_below, title_headings
from longtail_icd.terminology.pcs_values import SECTIONS, value_titles

COLUMNS = [name for name in TABLES["terminology/codes"].columns if name not in ("version", "kind")]

PCS_HEADINGS = (2, 3, 4)  # lengths of the headings between section and code


def icd10cm_nodes() -> pl.DataFrame:
    """Return every ICD-10-CM node as `terminology/codes` has it.

    Codes deleted after fiscal year 2024 stay in, under their longest living prefix.
    """
    tree = icd10cm_tree().with_columns(title_source=pl.lit("cdc_2026"))
    deleted = icd10_titles("icd10cm").join(tree, on="code", how="anti")
    prefixes = deleted.select(
        "code",
        above=pl.concat_list(
            pl.col("code").str.head(-count).str.strip_chars_end(".") for count in range(1, 6)
        ),
    ).explode("above")
    place = tree.select("chapter", "block", "category", above="code")
    old = (
        prefixes.join(place, on="above", maintain_order="left")
        .unique("code", keep="first", maintain_order=True)
        .join(deleted, on="code")
        .with_columns(parent="above", is_leaf=pl.lit(True), title_source=pl.lit("cms_2024"))
    )
    return pl.concat([tree.select(COLUMNS), old.select(COLUMNS)]).with_columns(
        version=pl.lit("icd10cm"), kind=pl.lit("diagnosis")
    )


def icd10pcs_nodes() -> pl.DataFrame:
    """Return every ICD-10-PCS code and its prefixes of 1 to 4 characters as headings.

    Corpora also label with 4-character prefixes (CodiEsp does).
    """
    code = pl.col("code")
    leaves = icd10_titles("icd10pcs")
    headings = codes_below(leaves, pl.concat_list(code.str.head(length) for length in PCS_HEADINGS))
    above = {heading: SECTIONS[heading[0]] for heading in headings}
    given = Given(value_titles(), "pcs_values")
    schema = {"code": pl.String, "title": pl.String, "title_source": pl.String}
    sections = [(section, title, "cms_2024") for section, title in SECTIONS.items()]
    nodes = pl.concat(
        [
            pl.DataFrame(
                [*sections, *title_headings(headings, above, given)], schema=schema, orient="row"
            ).with_columns(is_leaf=pl.lit(False)),
            leaves.with_columns(title_source=pl.lit("cms_2024"), is_leaf=pl.lit(True)).select(
                *schema, "is_leaf"
            ),
        ]
    )
    length = code.str.len_chars()
    return nodes.with_columns(
        version=pl.lit("icd10pcs"),
        kind=pl.lit("procedure"),
        parent=pl.when(length == 7).then(code.str.head(4)).when(length > 1).then(code.str.head(-1)),
        category=pl.when(length >= 3).then(code.str.head(3)),
        block=pl.when(length >= 2).then(code.str.head(2)),
        chapter=code.str.head(1),
    )
