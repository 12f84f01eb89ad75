"""Chapters and blocks of ICD-9-CM, which no list of codes carries: a table of ranges."""

from bisect import bisect_right
from pathlib import Path

import polars as pl

from longtail_icd.common.errors import UserError

COLUMNS = ("kind", "level", "first", "last", "title")


def read_ranges(path: str | Path) -> pl.DataFrame:
    """Read `resources/icd9_ranges.csv`.

    Returns:
        Columns kind, level (chapter or block), first, last (categories, both inside), title and
        code: the range's name, for example ``401-405``.

    Raises:
        UserError: the file or a column is missing.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; it belongs to the checkout")
    ranges = pl.read_csv(path, infer_schema=False)
    if missing := [column for column in COLUMNS if column not in ranges.columns]:
        raise UserError(f"{path}: column {missing[0]} is missing; restore the file")
    return ranges.with_columns(code=pl.col("first") + "-" + pl.col("last"))


def _find(categories: pl.Series, ranges: pl.DataFrame) -> pl.Series:
    """Name the range that each category lies in, or null; ranges of one level never overlap."""
    rows = ranges.sort("first").rows(named=True)
    firsts = [row["first"] for row in rows]
    found: list[str | None] = []
    for category in categories:
        index = bisect_right(firsts, category) - 1
        inside = index >= 0 and category <= rows[index]["last"]
        found.append(rows[index]["code"] if inside else None)
    return pl.Series(found, dtype=pl.String)


def place_categories(categories: pl.DataFrame, ranges: pl.DataFrame) -> pl.DataFrame:
    """Add the columns chapter and block to ICD-9-CM categories (columns kind, category).

    A category outside every block (congenital anomalies, blood, procedures) has the chapter
    itself as its block; one outside every chapter has nulls.

    Before: diagnosis ``428``, procedure ``38``, diagnosis ``745``.
    After: block ``420-429`` in ``390-459``; ``35-39`` in ``35-39``; ``740-759`` in ``740-759``.
    """
    unique = categories.select("kind", "category").unique().sort("kind", "category")
    parts = []
    for (kind,), part in unique.group_by("kind", maintain_order=True):
        own = ranges.filter(kind=kind)
        levels = {
            level: _find(part["category"], own.filter(level=level))
            for level in ("chapter", "block")
        }
        parts.append(part.with_columns(**levels))
    placed = pl.concat(parts).with_columns(block=pl.coalesce("block", "chapter"))
    return categories.join(placed, on=["kind", "category"], how="left", maintain_order="left")
