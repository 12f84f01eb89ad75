"""The classification's bounds of sex and age: the ranges of `resources/demographic_bounds.csv`."""

from pathlib import Path

import polars as pl

from longtail_icd.common.errors import UserError

COLUMNS = ("version", "kind", "first", "last", "sex", "age_low", "age_high", "words", "source")


def read_bounds(path: str | Path) -> pl.DataFrame:
    """Read the ranges of codes that only one sex or age has.

    Returns:
        Columns version, kind, first, last (both inside, with what lies below them), sex (F, M or
        null), age_low, age_high (years, null: unbounded), words, source.

    Raises:
        UserError: the file or a column is missing, a sex is not F or M, or an age is no number.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; it belongs to the checkout")
    bounds = pl.read_csv(path, infer_schema=False)
    if missing := [column for column in COLUMNS if column not in bounds.columns]:
        raise UserError(f"{path}: column {missing[0]} is missing; restore the file")
    if not bounds["sex"].drop_nulls().is_in(["F", "M"]).all():
        raise UserError(f"{path}: column sex may hold only F, M or nothing; restore the file")
    try:
        return bounds.with_columns(pl.col("age_low", "age_high").cast(pl.Float64))
    except pl.exceptions.InvalidOperationError:
        raise UserError(f"{path}: an age is no number; restore the file") from None


def _inside(first: str, last: str) -> pl.Expr:
    """Return whether a code lies between two codes of its system, or below either."""
    code = pl.col("code")
    return (
        (code.str.len_chars() >= len(first))
        & (code.str.head(len(first)) >= first)
        & (code.str.head(len(last)) <= last)
    )


def classified_bounds(space: pl.DataFrame, bounds: pl.DataFrame) -> pl.DataFrame:
    """Return the bounds that the classification gives to codes, sorted by code.

    Before: 650 and 401.9, with the range 630 to 676 of F, 9 to 65 years. After: 650, F, 9, 65.

    Args:
        space: columns version, code, kind.
        bounds: see :func:`read_bounds`; no code lies in two ranges.

    Returns:
        Columns code, sex, age_low, age_high; codes without bounds are not in it.
    """
    found = [
        codes.filter(_inside(row["first"], row["last"])).select(
            "code",
            sex=pl.lit(row["sex"], pl.String),
            age_low=pl.lit(row["age_low"], pl.Float64),
            age_high=pl.lit(row["age_high"], pl.Float64),
        )
        for (version, kind), codes in space.group_by("version", "kind")
        for row in bounds.filter(version=version, kind=kind).iter_rows(named=True)
    ]
    schema = {"code": pl.String, "sex": pl.String, "age_low": pl.Float64, "age_high": pl.Float64}
    return pl.concat([pl.DataFrame(schema=schema), *found]).sort("code")
