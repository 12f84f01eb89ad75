"""The label space, and the frequency tier of each of its codes.

The label space is every code that a model may predict. Tiers go by train frequency alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import CODE_SYSTEMS, KINDS
from longtail_icd.common.tiers import TIERS, tier_of

KEY = ["version", "code", "kind"]
_NAMED = 10  # codes that a message names at most


def _named(codes: pl.Series) -> str:
    shown = codes.sort().head(_NAMED).to_list()
    return ", ".join(shown) + (", …" if len(codes) > _NAMED else "")


def read_label_file(path: str | Path) -> pl.DataFrame:
    """Read a label space from a CSV file with the columns version, code and kind.

    Returns:
        The columns version, code, kind. Codes stay strings: their leading zeros count.

    Raises:
        UserError: not a CSV file, a missing column, an empty file or cell, a repeated code, or
            a value of version or kind that this project does not know.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(
            f"{path}: not a readable CSV file; corpus.label_file needs a header and the columns "
            f"{', '.join(KEY)}"
        ) from None
    for column in KEY:
        if column not in frame.columns:
            raise UserError(
                f"{path}: column {column} is missing; corpus.label_file needs {', '.join(KEY)}"
            )
    frame = frame.select(pl.col(KEY).str.strip_chars())
    if frame.is_empty():
        raise UserError(f"{path}: no codes; list at least one below the header")
    for column in KEY:
        if frame[column].null_count() or (frame[column] == "").any():
            raise UserError(f"{path}: column {column} has an empty cell; fill it or drop its row")
    for column, known in (("version", CODE_SYSTEMS), ("kind", KINDS)):
        if not frame[column].is_in(known).all():
            raise UserError(f"{path}: column {column} may hold only {', '.join(known)}")
    repeated = frame.filter(pl.struct("version", "code").is_duplicated())["code"].unique()
    if len(repeated):
        raise UserError(f"{path}: codes listed twice: {_named(repeated)}; keep one row of each")
    return frame


def train_space(labels: pl.DataFrame) -> pl.DataFrame:
    """Return the codes of the train split: columns version, code, kind."""
    return labels.select(KEY).unique()


def taxonomy_space(
    labels: pl.DataFrame, taxonomy: pl.DataFrame, kinds: Sequence[str]
) -> pl.DataFrame:
    """Return the train codes and every leaf of the taxonomy that is of one of ``kinds``."""
    leaves = taxonomy.filter(pl.col("is_leaf") & pl.col("kind").is_in(kinds))
    return pl.concat([train_space(labels), leaves.select(KEY)]).unique()


def sibling_space(labels: pl.DataFrame, taxonomy: pl.DataFrame) -> pl.DataFrame:
    """Return the train codes and every code that shares its parent with one of them.

    Leaves or not: coders use both. Chapters and blocks are no codes.

    Before: train has A00.0. After: A00.0, A00.1, A00.9; neither A00 nor A01.0.
    """
    codes = taxonomy.filter(pl.col("category").is_not_null())
    parents = train_space(labels).join(codes, on=KEY).select("version", "parent")
    siblings = codes.join(parents, on=["version", "parent"], how="semi")
    return pl.concat([train_space(labels), siblings.select(KEY)]).unique()


def stratify(space: pl.DataFrame, labels: pl.DataFrame, edges: Mapping[str, int]) -> pl.DataFrame:
    """Give every code of the label space its train frequency and tier; a table `plan/tiers`.

    With the paper's edges (1000, 100, 10) n_train of 1000, 999, 99, 9, 0 are head, medium, tail,
    few_shot, zero_shot. Sorted by code: this order is the label order everywhere.

    Args:
        space: the label space; columns version, code, kind.
        labels: a table `corpus/labels`, train split; codes outside the label space are left out.
        edges: the least train frequency of ``head``, ``medium`` and ``tail``.

    Raises:
        UserError: there are no train labels, or two code systems share a code.
    """
    if labels.is_empty():
        raise UserError(
            "train split: no labels, so every code would be zero-shot; check corpus.path and "
            "corpus.split"
        )
    shared = space.filter(pl.col("code").is_duplicated())["code"].unique()
    if len(shared):
        raise UserError(
            f"label space: codes of more than one code system or kind: {_named(shared)}; inside "
            "a corpus a code must be unique: choose one code system (corpus.label_file)"
        )
    n_train = labels.group_by("version", "code").agg(n_train=pl.col("note_id").n_unique())
    n = pl.col("n_train")
    return (
        space.select(KEY)
        .join(n_train, on=["version", "code"], how="left")
        .with_columns(n.fill_null(0).cast(pl.Int64))
        .with_columns(tier=tier_of(n, edges))
        .sort("code")
    )


def summary(tiers: pl.DataFrame) -> str:
    """Return one line for the log: the number of codes in each tier."""
    counts = dict(tiers["tier"].value_counts().iter_rows())
    return f"label space of {len(tiers)} codes: " + ", ".join(
        f"{tier} {counts.get(tier, 0)}" for tier in TIERS
    )
