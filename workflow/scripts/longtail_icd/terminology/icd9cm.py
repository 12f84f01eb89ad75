"""ICD-9-CM as a tree: the leaves of V32, prefix headings, and the table of ranges on top."""

from pathlib import Path

import polars as pl

from longtail_icd.common.code_systems import icd9_titles
from longtail_icd.common.codes import category
from longtail_icd.common.ranges import place_categories, read_ranges
from longtail_icd.common.tables import KINDS, TABLES
from longtail_icd.terminology.headings import Given, codes_below, title_headings

COLUMNS = [name for name in TABLES["terminology/codes"].columns if name != "version"]


def _parent() -> pl.Expr:
    """Return the node above a dotted code by prefix: 038.10 → 038.1 → 038 → its block."""
    code = pl.col("code")
    own_category = code == pl.col("category")
    first_digit = code.str.len_chars() == pl.col("category").str.len_chars() + 2
    return (
        pl.when(own_category)
        .then(pl.col("block"))
        .when(first_digit)
        .then(pl.col("category"))
        .otherwise(code.str.head(-1))
    )


def _headings(leaves: pl.DataFrame, ranges: pl.DataFrame, kind: str, given: Given) -> pl.DataFrame:
    """Return the categories and one-digit subcategories that are no leaf, with a title."""
    code = pl.col("code")
    one_digit = pl.when(code.str.contains(r"\.\d\d$")).then(code.str.head(-1))
    prefixes = pl.concat_list("category", one_digit).list.drop_nulls().list.unique()
    block_titles = ranges.select(block="code", title="title").unique("block", keep="last")
    categories = place_categories(leaves.select("kind", "category").unique(), ranges)
    above = categories.join(block_titles, on="block").select("category", "title")
    rows = title_headings(codes_below(leaves, prefixes), dict(above.iter_rows()), given)
    headings = pl.DataFrame(rows, schema=["code", "title", "title_source"], orient="row")
    return headings.with_columns(kind=pl.lit(kind), category=category(code, "icd9cm", kind))


def _code_nodes(
    titles: pl.DataFrame, ranges: pl.DataFrame, kind: str, given: Given
) -> pl.DataFrame:
    """Return leaves and headings of one kind, placed."""
    leaves = titles.filter(kind=kind).with_columns(
        category=category(pl.col("code"), "icd9cm", kind), title_source=pl.lit("cms_v32")
    )
    headings = _headings(leaves, ranges, kind, given)
    nodes = pl.concat(
        [
            leaves.select(headings.columns).with_columns(is_leaf=pl.lit(True)),
            headings.with_columns(is_leaf=pl.lit(False)),
        ]
    )
    return place_categories(nodes, ranges).with_columns(parent=_parent())


def _range_nodes(ranges: pl.DataFrame) -> pl.DataFrame:
    """Return chapters and blocks as nodes; a block's chapter is the one that its first lies in."""
    placed = place_categories(ranges.with_columns(category=pl.col("first")), ranges)
    is_block = pl.col("level") == "block"
    return placed.with_columns(
        title_source=pl.lit("ranges"),
        is_leaf=pl.lit(False),
        parent=pl.when(is_block).then("chapter"),
        block=pl.when(is_block).then("code"),
        category=pl.lit(None, dtype=pl.String),
    )


def icd9cm_nodes(ranges_path: str | Path, given: Given) -> pl.DataFrame:
    """Return every ICD-9-CM node, diagnoses and procedures, as `terminology/codes` has it.

    Args:
        ranges_path: the table of chapters and blocks.
        given: titles of categories and subcategories, where the user has them.
    """
    titles, ranges = icd9_titles(), read_ranges(ranges_path)
    codes = (_code_nodes(titles, ranges, kind, given) for kind in KINDS)
    nodes = pl.concat(part.select(COLUMNS) for part in [_range_nodes(ranges), *codes])
    return nodes.with_columns(version=pl.lit("icd9cm"))
