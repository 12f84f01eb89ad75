"""Which codes must not stand in one code set."""

import numpy as np
import polars as pl
from scipy import sparse


def _members(groups: pl.Series, codes: list[str]) -> sparse.csr_array:
    """Return the boolean matrix groups × codes of a list column; other codes are left out."""
    listed = pl.DataFrame({"row": np.arange(len(groups)), "code": groups}).explode("code")
    columns = pl.DataFrame({"code": codes, "column": np.arange(len(codes))})
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
