"""Which codes must not stand in one code set: the classification says so, or sex or age differ.

A row of `plan/conflicts` holds two lists, every code of the one against every code of the other:
single pairs would be tens of millions where the label space is a whole classification.
"""

import numpy as np
import polars as pl
from scipy import sparse

from longtail_icd.common.tables import empty_table
from longtail_icd.plan.cooccurrence import note_code_matrix
from longtail_icd.terminology.lookup import Ancestors, describe_unknown

REASONS = ("excludes1", "sex", "age")
CARRIED_OVER = "icd9cm"  # whose Excludes1 notes are not its own, but its successor's
REFUTED = 0.05  # chance that any carried-over pair is refuted where none should be


def _below(space: pl.DataFrame, taxonomy: pl.DataFrame) -> pl.DataFrame:
    """Return every code of the label space under itself and each node above: version, node, own."""
    codes = pl.concat([taxonomy, describe_unknown(taxonomy, space)])
    empty = pl.DataFrame(schema=dict.fromkeys(("version", "node", "own"), pl.String))
    parts = [
        Ancestors(codes, version)
        .nodes_of(part["code"])
        .select("node", version=pl.lit(version), own="code")
        for (version,), part in space.group_by("version")
    ]
    return pl.concat([empty, *(part.select(empty.columns) for part in parts)])


def excluding_lists(
    excludes: pl.DataFrame, space: pl.DataFrame, taxonomy: pl.DataFrame
) -> pl.DataFrame:
    """Expand the Excludes1 notes to the codes of the label space; rows of `plan/conflicts`.

    Before: node E11 excludes node E10. After: [E11.9, E11.65, …] against [E10.9, …].
    A note without codes on both sides gives no row.
    """
    below = _below(space, taxonomy)
    above = below.group_by("version", code="node").agg(codes_a=pl.col("own").sort())
    return (
        excludes.join(below, left_on=["version", "excluded"], right_on=["version", "node"])
        .group_by("version", "code", "note")
        .agg(codes_b=pl.col("own").unique().sort())
        .join(above, on=["version", "code"])
        .sort("version", "code", "note")
        .select("codes_a", "codes_b", "note", reason=pl.lit("excludes1"))
    )


def keep_unrefuted(excludes: pl.DataFrame, cooccurrence: pl.DataFrame) -> pl.DataFrame:
    """Leave out the pairs carried over to ICD-9-CM that train notes hold together on purpose.

    ICD-9-CM asked for some pairs that its successor forbids: 038.9 beside 995.91 for sepsis. A pair
    is refuted where notes carry it more often than by chance: one-sided, at a level divided by the
    number of pairs that any note carries (Bonferroni). The notes of ICD-10-CM are its own and stay.

    Args:
        excludes: a table `terminology/excludes`.
        cooccurrence: a table `plan/cooccurrence`.
    """
    carried = excludes.filter(version=CARRIED_OVER).with_columns(
        code_a=pl.min_horizontal("code", "excluded"), code_b=pl.max_horizontal("code", "excluded")
    )
    seen = carried.join(cooccurrence, on=["code_a", "code_b"])
    refuted = seen.filter(pl.col("p_value") <= REFUTED / max(1, len(seen)))
    return excludes.join(refuted, on=["version", "code", "excluded"], how="anti")


def sex_lists(demographics: pl.DataFrame) -> pl.DataFrame:
    """Return the codes of women against those of men; one row of `plan/conflicts`, or none."""
    women, men = (demographics.filter(sex=sex).select(pl.col("code").implode()) for sex in "FM")
    row = pl.DataFrame({"codes_a": women["code"], "codes_b": men["code"]})
    note = {"reason": pl.lit("sex"), "note": pl.lit("F only, M only")}
    return row.filter(pl.all_horizontal(pl.all().list.len() > 0)).with_columns(**note)


def _whole(years: str) -> pl.Expr:
    """Return years as text, 9.0 as 9."""
    return pl.col(years).cast(pl.String).str.strip_suffix(".0")


def age_lists(demographics: pl.DataFrame) -> pl.DataFrame:
    """Return the codes whose ages do not meet; rows of `plan/conflicts`.

    Before: V30.00 is for those under 1, 650 from 9 to 65 years. After: [V30.00] against [650].
    Intervals that meet two by two have an age in common (Helly), so that pairs suffice.
    """
    young = demographics.group_by("age_high").agg(codes_a=pl.col("code").sort())
    old = demographics.group_by("age_low").agg(codes_b=pl.col("code").sort())
    return (
        young.join_where(old, pl.col("age_high") <= pl.col("age_low"))
        .sort("age_high", "age_low")
        .select(
            "codes_a",
            "codes_b",
            reason=pl.lit("age"),
            note=pl.format("under {}, {} or older", _whole("age_high"), _whole("age_low")),
        )
    )


def find_conflicts(
    excludes: pl.DataFrame,
    cooccurrence: pl.DataFrame,
    demographics: pl.DataFrame,
    space: pl.DataFrame,
    taxonomy: pl.DataFrame,
) -> pl.DataFrame:
    """Return the table `plan/conflicts`: every code of codes_a contradicts every one of codes_b.

    Args:
        excludes: a table `terminology/excludes`.
        cooccurrence: a table `plan/cooccurrence`; see :func:`keep_unrefuted`.
        demographics: a table `plan/demographics`.
        space: the label space: columns version, code, kind.
        taxonomy: a table `terminology/codes`.
    """
    columns = list(empty_table("plan/conflicts").columns)
    kept = keep_unrefuted(excludes, cooccurrence)
    if refuted := len(excludes) - len(kept):
        print(
            f"{refuted} pairs whose exclusion was carried over to ICD-9-CM stand together in train "
            "notes more often than by chance: they are no contradictions"
        )
    parts = (
        excluding_lists(kept, space, taxonomy),
        sex_lists(demographics),
        age_lists(demographics),
    )
    return pl.concat([part.select(columns) for part in parts])


def _members(groups: pl.Series, codes: list[str]) -> sparse.csr_array:
    """Return the boolean matrix groups × codes of a list column; other codes are left out."""
    listed = pl.DataFrame({"row": np.arange(len(groups)), "code": groups}).explode("code")
    columns = pl.DataFrame(
        {"code": codes, "column": np.arange(len(codes))}, schema_overrides={"code": pl.String}
    )
    inside = listed.join(columns, on="code")
    ones = np.ones(len(inside), dtype=bool)
    where = (inside["row"].to_numpy(), inside["column"].to_numpy())
    return sparse.csr_array((ones, where), shape=(len(groups), len(codes)))


def conflict_matrix(conflicts: pl.DataFrame, codes: list[str]) -> sparse.csr_array:
    """Return the symmetric boolean matrix codes × codes: True where two codes contradict.

    Args:
        conflicts: a table `plan/conflicts`, or the rows of one reason.
        codes: the codes of rows and columns, each once; others are left out.
    """
    codes_a, codes_b = (_members(conflicts[side], codes) for side in ("codes_a", "codes_b"))
    one_way = (codes_a.T @ codes_b).tocsr()
    both = (one_way + one_way.T).tocsr()
    both.sort_indices()
    return both


def conflicts_in(conflicts: pl.DataFrame, codes: list[str]) -> list[tuple[str, str, str, str]]:
    """Return the contradictions among codes: (a, b, reason, note), a < b, sorted.

    One per pair and reason, with the first of its notes.

    Before: 650, 401.9, V30.00. After: (650, V30.00, age, under 1, 9 or older).
    """
    asked = pl.lit(pl.Series([codes], dtype=pl.List(pl.String)))
    sides = conflicts.with_columns(pl.col("codes_a", "codes_b").list.set_intersection(asked))
    pairs = sides.explode("codes_a").explode("codes_b").drop_nulls(["codes_a", "codes_b"])
    ordered = pairs.select(
        "reason",
        "note",
        a=pl.min_horizontal("codes_a", "codes_b"),
        b=pl.max_horizontal("codes_a", "codes_b"),
    )
    first = ordered.group_by("a", "b", "reason").agg(pl.col("note").min())
    return first.sort("a", "b", "reason").rows()


def count_carried(notes: sparse.csr_array, conflicting: sparse.csr_array) -> tuple[int, int]:
    """Return how many contradicting pairs the notes carry, and how many notes carry any.

    Args:
        notes: binary, notes × codes.
        conflicting: symmetric, boolean, codes × codes.
    """
    together = (notes.T @ notes).astype(bool)
    carried = together.multiply(conflicting).astype(np.int32).tocsr()
    per_note = (notes @ carried).multiply(notes).sum(axis=1)
    return carried.nnz // 2, int((per_note > 0).sum())


def summary(conflicts: pl.DataFrame, tiers: pl.DataFrame, labels: pl.DataFrame) -> str:
    """Return one line for the log: pairs by reason, and those that train notes carry all the same.

    Args:
        conflicts: a table `plan/conflicts`.
        tiers: a table `plan/tiers`.
        labels: a table `corpus/labels`, train split.
    """
    notes, codes = note_code_matrix(labels)
    parts = []
    for reason in REASONS:
        rows = conflicts.filter(reason=reason)
        pairs = conflict_matrix(rows, tiers["code"].to_list()).nnz // 2
        carried, in_notes = count_carried(notes, conflict_matrix(rows, codes))
        parts.append(f"{reason} {pairs} ({carried} of them in {in_notes} train notes)")
    return f"pairs of codes that contradict each other: {', '.join(parts)}"
