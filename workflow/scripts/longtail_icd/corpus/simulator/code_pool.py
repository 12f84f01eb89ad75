"""Which real codes the simulated hospital uses, and which of them are frequent."""

from pathlib import Path

import numpy as np
import polars as pl

from longtail_icd.common.code_systems import icd9_titles
from longtail_icd.common.codes import category
from longtail_icd.common.errors import UserError
from longtail_icd.common.ranges import place_categories, read_ranges
from longtail_icd.common.tables import KINDS

# Shares of MIMIC-III's label instances by chapter, as far as measured; the rest of each kind is
# spread evenly over its other chapters.
PROCEDURE_SHARE = 0.2609
CHAPTER_SHARES = {
    ("diagnosis", "390-459"): 0.163,
    ("diagnosis", "240-279"): 0.081,
    ("diagnosis", "V01-V91"): 0.072,
    ("diagnosis", "460-519"): 0.052,
    ("diagnosis", "290-319"): 0.051,
    ("diagnosis", "800-999"): 0.050,
    ("diagnosis", "520-579"): 0.045,
    ("procedure", "87-99"): 0.101,
    ("procedure", "35-39"): 0.079,
}
LARGEST_CLUSTER = 8  # siblings taken together


def chapter_shares(
    chapters: list[tuple[str, str]], procedures: float = PROCEDURE_SHARE
) -> np.ndarray:
    """Return the share of label instances of each (kind, chapter); sums to 1.

    Args:
        chapters: kind and chapter.
        procedures: share of all procedures together.
    """
    known = np.array([CHAPTER_SHARES.get(chapter, 0.0) for chapter in chapters])
    kinds = np.array([kind for kind, _ in chapters])
    totals = {"diagnosis": 1 - procedures, "procedure": procedures}
    for kind, total in totals.items():
        rest = (kinds == kind) & (known == 0)
        known[rest] = (total - known[kinds == kind].sum()) / max(rest.sum(), 1)
    return known / known.sum()


def quotas(shares: np.ndarray, available: np.ndarray, codes: int) -> np.ndarray:
    """Split ``codes`` over chapters by ``shares``, none above what is ``available``."""
    quota = np.zeros(len(shares), dtype=int)
    while (left := codes - quota.sum()) > 0:
        room = np.where(quota < available, shares, 0.0)
        exact = left * room / room.sum()
        step = np.minimum(np.floor(exact).astype(int), available - quota)
        if step.sum() == 0:
            step[np.argsort(-exact, kind="stable")[:left]] = 1
            step = np.minimum(step, available - quota)
        quota += step
    return quota


def _leaves(ranges_path: str | Path) -> pl.DataFrame:
    """Return every V32 code with chapter and cluster: the codes under the same parent."""
    titles = icd9_titles()
    leaves = pl.concat(
        titles.filter(kind=kind).with_columns(category=category(pl.col("code"), "icd9cm", kind))
        for kind in KINDS
    )
    parent = pl.when(pl.col("code").str.contains(r"\.\d\d$")).then(pl.col("code").str.head(-1))
    return place_categories(leaves, read_ranges(ranges_path)).with_columns(
        cluster=pl.coalesce(parent, "category")
    )


def draw_pool(rng: np.random.Generator, codes: int, ranges_path: str | Path) -> pl.DataFrame:
    """Draw the hospital's codes: whole small groups of siblings, by the chapters' shares.

    A rare code thus nearly always has siblings in the pool.

    Returns:
        Columns kind, code, title, short_title, category, chapter, cluster; sorted by kind, code.

    Raises:
        UserError: more codes than ICD-9-CM has.
    """
    leaves = _leaves(ranges_path)
    if codes > leaves.height:
        raise UserError(
            f"configuration: corpus.simulation.codes: {codes}; ICD-9-CM has {leaves.height} codes"
        )
    clusters = leaves.select("kind", "cluster").unique().sort("kind", "cluster")
    clusters = clusters.with_columns(order=pl.Series(rng.random(clusters.height)))
    group = ["kind", "cluster"]
    # Taken last: codes without siblings, and what goes beyond a small group.
    late = (pl.len().over(group) == 1) | (pl.int_range(pl.len()).over(group) >= LARGEST_CLUSTER)
    ordered = (
        leaves.sort("kind", "code")
        .join(clusters, on=group, maintain_order="left")
        .sort("kind", "chapter", late, "order", "code")
    )
    counts = ordered.group_by("kind", "chapter", maintain_order=True).len()
    shares = chapter_shares(counts.select("kind", "chapter").rows())
    quota = counts.with_columns(quota=pl.Series(quotas(shares, counts["len"].to_numpy(), codes)))
    position = pl.int_range(pl.len()).over("kind", "chapter")
    return (
        ordered.join(quota, on=["kind", "chapter"], maintain_order="left")
        .filter(position < pl.col("quota"))
        .sort("kind", "code")
        .select("kind", "code", "title", "short_title", "category", "chapter", "cluster")
    )


def assign_ranks(
    rng: np.random.Generator,
    pool: pl.DataFrame,
    expected: np.ndarray,
    procedures: float = PROCEDURE_SHARE,
) -> np.ndarray:
    """Return each code's expected count: which code is frequent is chance, chapters are not.

    Rank after rank goes to a code of the chapter that lacks most of its share of the instances.

    Args:
        rng: source of chance.
        pool: as :func:`draw_pool` returns it.
        expected: expected counts by rank.
        procedures: share of the instances that are procedures.

    Returns:
        Float array in the pool's order.
    """
    chapters = list(dict.fromkeys(pool.select("kind", "chapter").iter_rows()))
    index = {chapter: number for number, chapter in enumerate(chapters)}
    members: list[list[int]] = [[] for _ in chapters]
    order = rng.permutation(pool.height)
    rows = pool.select("kind", "chapter").rows()
    for code in order:
        members[index[rows[code]]].append(int(code))
    lacking = chapter_shares(chapters, procedures) * expected.sum()
    counts = np.zeros(pool.height)
    for value in expected:
        chapter = int(np.argmax(lacking))
        counts[members[chapter].pop()] = value
        lacking[chapter] = lacking[chapter] - value if members[chapter] else -np.inf
    return counts
