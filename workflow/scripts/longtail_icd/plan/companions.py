"""What stands beside a code: the smoothed conditional model of the train split.

Two parts, each shrunk towards what is known of a code's place in the taxonomy, so that a code seen
never or once borrows from its siblings:

- *nearness*: how often each code stands beside the anchor, P(c | anchor), mixed with
  P(c | category), P(c | block), P(c | chapter) and P(c). Candidates are drawn from it.
- *lift*: how much more often than by chance two codes stand together, observed over expected
  notes. A candidate counts by its mean lift with the codes that are in the set already.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from longtail_icd.plan.pools import LEVELS
from longtail_icd.terminology.lookup import describe_unknown

# A level with n notes has n / (n + prior) of the weight that nearer levels left; what is left in
# the end goes to P(c), and so does a share of all: what is common stands beside everything.
PRIORS = {"own": 10.0, "category": 10.0, "block": 20.0, "chapter": 200.0}
EVERYWHERE = 0.5
# Expected notes that the lift of the level above is worth; the largest lift, and 1 / the smallest.
LIFT_PRIOR = 5.0
LIFT_LIMIT = 200.0
_BLOCK = 500  # rows of the lift matrix that are made at once


@dataclass(frozen=True)
class _Level:
    """The groups of one level of the taxonomy.

    ``index`` numbers those that have trained codes, ``groups`` is the number of each trained code's
    group, ``lifts`` the groups' lifts, groups × groups.
    """

    name: str
    index: dict[tuple, int]
    groups: np.ndarray
    lifts: np.ndarray


def _group_lifts(
    together: sparse.csr_array, n: np.ndarray, notes: int, groups: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """Return the lifts of groups, shrunk towards ``prior``.

    Before: groups A and B with 30 and 20 notes of 100, 12 notes with both, prior 1. After:
    (12 + 5) / (6 + 5) = 1.55. Two codes of *one* group have a prior of their own, alike for all
    groups of a level: siblings seldom stand together, or often.

    Args:
        together: codes × codes, symmetric, without diagonal: notes with both codes.
        n: notes of each code.
        notes: number of notes.
        groups: the group of each code.
        prior: lifts at the level above, groups × groups.
    """
    size = len(prior)
    places = (np.arange(len(groups)), groups)
    members = sparse.csr_array((np.ones(len(groups)), places), shape=(len(groups), size))
    observed = (members.T @ together @ members).toarray()
    carried = members.T @ n
    expected = np.outer(carried, carried) / notes
    own = np.arange(size)
    # A code does not stand beside itself.
    expected[own, own] = np.maximum(expected[own, own] - members.T @ (n * n) / notes, 0)
    within = expected[own, own].sum()
    prior = prior.copy()
    prior[own, own] = observed[own, own].sum() / within if within else 1.0
    return (observed + LIFT_PRIOR * prior) / (expected + LIFT_PRIOR)


class Companions:
    """The smoothed conditional model over the trained codes: those with a train note.

    Args:
        tiers: a table `plan/tiers`, the label space.
        taxonomy: a table `terminology/codes`.
        notes: number of train notes with a code.
        cooccurrence: a table `plan/cooccurrence`.
        group_cooccurrence: a table `plan/group_cooccurrence`.

    Attributes:
        codes: the trained codes, sorted: the columns of everything here.
        tiers: the tier of each.
        n: train notes of each.
        share: share of the train notes that carry each.
        column: the column of each.
        lift: codes × codes, float16.
    """

    def __init__(
        self,
        tiers: pl.DataFrame,
        taxonomy: pl.DataFrame,
        notes: int,
        cooccurrence: pl.DataFrame,
        group_cooccurrence: pl.DataFrame,
    ):
        trained = tiers.filter(pl.col("n_train") > 0).sort("code")
        self.codes: list[str] = trained["code"].to_list()
        self.tiers = trained["tier"].to_numpy()
        self.n = trained["n_train"].to_numpy().astype(np.float64)
        self.share = self.n / max(1, notes)
        self.column = {code: column for column, code in enumerate(self.codes)}
        known = pl.concat([taxonomy, describe_unknown(taxonomy, tiers)])
        places = tiers.select("version", "code", "kind").join(
            known.drop("kind"), on=["version", "code"], how="left"
        )
        self._places: dict[str, dict[str, tuple]] = {
            code: {
                level: (version, kind, group)
                for level, group in zip(LEVELS, groups, strict=True)
                if group is not None
            }
            for version, kind, code, *groups in places.select(
                "version", "kind", "code", *LEVELS
            ).iter_rows()
        }
        together = self._pair_counts(cooccurrence)
        self._beside = sparse.diags_array(1 / self.n) @ together  # P(column | row)
        self._beside = self._beside.tocsr()
        self._group_rows = self._rows_of_groups(group_cooccurrence)
        self._levels = self._lifts_by_level(together, notes)
        self.lift = self._code_lifts(together, notes)

    def chapter(self, code: str) -> tuple | None:
        """Return version, kind and chapter of a code of the label space."""
        return self._places[code].get("chapter")

    def _pair_counts(self, cooccurrence: pl.DataFrame) -> sparse.csr_array:
        """Return the notes with both codes: codes × codes, symmetric, without diagonal."""
        a, b = (
            pl.col(side).replace_strict(self.column, default=None, return_dtype=pl.Int64)
            for side in ("code_a", "code_b")
        )
        pairs = cooccurrence.select(a, b, "notes").drop_nulls()
        shape = len(self.codes), len(self.codes)
        cells = pairs["code_a"].to_numpy(), pairs["code_b"].to_numpy()
        one_way = sparse.csr_array((pairs["notes"].cast(pl.Float64).to_numpy(), cells), shape=shape)
        return (one_way + one_way.T).tocsr()

    def _rows_of_groups(self, table: pl.DataFrame) -> dict[tuple, tuple[float, np.ndarray]]:
        """Return per (level, version, kind, group) its number of notes and P(column | group)."""
        column = pl.col("code").replace_strict(self.column, default=None, return_dtype=pl.Int64)
        grouped = (
            table.with_columns(column=column, size=pl.col("notes") / pl.col("probability"))
            .drop_nulls("column")
            .group_by("level", "version", "kind", "group")
            .agg(pl.col("size").max(), "column", "probability")
        )
        rows = {}
        for *key, size, columns, share in grouped.iter_rows():
            row = np.zeros(len(self.codes), dtype=np.float32)
            row[columns] = share
            rows[tuple(key)] = (size, row)
        return rows

    def _lifts_by_level(self, together: sparse.csr_array, notes: int) -> list[_Level]:
        """Return the levels, nearest first; each is shrunk towards the one above it."""
        lifts, above = np.ones((1, 1)), np.zeros(len(self.codes), dtype=np.int64)
        levels: list[_Level] = []
        for name in reversed(LEVELS):
            # A code without a place is a group of its own.
            keys = [self._places[code].get(name, (code,)) for code in self.codes]
            index = {key: number for number, key in enumerate(dict.fromkeys(keys))}
            groups = np.array([index[key] for key in keys], dtype=np.int64)
            group_above = np.zeros(len(index), dtype=np.int64)
            group_above[groups] = above
            prior = lifts[np.ix_(group_above, group_above)]
            lifts = _group_lifts(together, self.n, notes, groups, prior)
            levels.insert(0, _Level(name, index, groups, lifts))
            above = groups
        return levels

    def _code_lifts(self, together: sparse.csr_array, notes: int) -> np.ndarray:
        """Return the lifts of codes, shrunk towards those of their parents' groups."""
        nearest, size = self._levels[0], len(self.codes)
        lift = np.empty((size, size), dtype=np.float16)
        for start in range(0, size, _BLOCK):
            rows = slice(start, start + _BLOCK)
            prior = nearest.lifts[nearest.groups[rows]][:, nearest.groups]
            expected = np.outer(self.n[rows], self.n) / notes
            shrunk = (together[rows].toarray() + LIFT_PRIOR * prior) / (expected + LIFT_PRIOR)
            lift[rows] = np.clip(shrunk, 1 / LIFT_LIMIT, LIFT_LIMIT)
        return lift

    def lift_of(self, anchor: str) -> np.ndarray:
        """Return the lifts of an anchor with every code; an untrained one has its group's."""
        if anchor in self.column:
            return self.lift[self.column[anchor]].astype(np.float32)
        for level in self._levels:
            group = level.index.get(self._places[anchor].get(level.name))
            if group is not None:
                lifts = level.lifts[group][level.groups]
                return np.clip(lifts, 1 / LIFT_LIMIT, LIFT_LIMIT).astype(np.float32)
        return np.ones(len(self.codes), dtype=np.float32)

    def nearness(self, anchor: str) -> np.ndarray:
        """Return the weight of every code as a companion of the anchor: a mixture over levels."""
        weights = np.zeros(len(self.codes))
        left = 1.0 - EVERYWHERE
        column = self.column.get(anchor)
        if column is not None:
            share = left * self.n[column] / (self.n[column] + PRIORS["own"])
            row = slice(self._beside.indptr[column], self._beside.indptr[column + 1])
            weights[self._beside.indices[row]] += share * self._beside.data[row]
            left -= share
        for level, prior in list(PRIORS.items())[1:]:
            group = (level, *self._places[anchor].get(level, ()))
            if group in self._group_rows:
                notes, shares = self._group_rows[group]
                weights += left * notes / (notes + prior) * shares
                left -= left * notes / (notes + prior)
        return weights + (left + EVERYWHERE) * self.share
