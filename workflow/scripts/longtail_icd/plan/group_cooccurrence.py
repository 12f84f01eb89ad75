"""Which codes stand beside the codes of a category, a block or a chapter in the train notes.

A code seen never or once can borrow its companions from its siblings by this table.
"""

import numpy as np
import polars as pl
from scipy import sparse

from longtail_icd.common.tables import empty_table
from longtail_icd.plan.cooccurrence import note_code_matrix
from longtail_icd.terminology.lookup import describe_unknown

LEVELS = ("category", "block", "chapter")
GROUP = ["version", "kind", "group"]


def _groups_of(
    codes: list[str], places: pl.DataFrame, level: str
) -> tuple[sparse.csr_array, pl.DataFrame]:
    """Return the binary matrix codes × groups of a level, and the groups of its columns, sorted.

    Args:
        codes: codes of the rows.
        places: version, kind, code and the levels; a code without a place is in no group.
        level: category, block or chapter.
    """
    placed = (
        pl.DataFrame({"code": codes, "row": np.arange(len(codes))})
        .join(places.select("version", "kind", "code", group=level), on="code")
        .drop_nulls("group")
    )
    groups = placed.select(GROUP).unique().sort(GROUP).with_row_index("column")
    cells = placed.join(groups, on=GROUP).select("row", "column").to_numpy().astype(np.int64)
    ones = np.ones(len(cells), dtype=np.int32)
    shape = (len(codes), len(groups))
    return sparse.csr_array((ones, (cells[:, 0], cells[:, 1])), shape=shape), groups


def companions_of_groups(
    notes: sparse.csr_array, members: sparse.csr_array
) -> tuple[sparse.coo_array, np.ndarray]:
    """Count for every group and code the notes with the code and *another* code of the group.

    Before: notes {a, b}, {a, x}, {b}; group {a, b}. After: a 1, b 1, x 1; the group has 3 notes.

    Args:
        notes: binary, notes × codes.
        members: binary, codes × groups.

    Returns:
        The counts, groups × codes, those above 0; and the number of notes of each group.
    """
    of_group = (notes @ members).tocsr()  # notes × groups: how many codes of the group
    present, alone = of_group.copy(), of_group.copy()
    present.data = np.ones_like(present.data)
    alone.data = (alone.data == 1).astype(alone.data.dtype)
    alone.eliminate_zeros()
    together = present.T @ notes
    # Where a note has one code of the group, that code has no other beside it.
    together = (together - (alone.T @ notes).multiply(members.T)).tocsr()
    together.eliminate_zeros()
    together.sort_indices()
    return together.tocoo(), present.sum(axis=0)


def mine_group_cooccurrence(labels: pl.DataFrame, taxonomy: pl.DataFrame) -> pl.DataFrame:
    """Return a table `plan/group_cooccurrence`, sorted by level, group and code.

    ``notes`` counts the train notes that carry the code and at least one *other* code of the group;
    ``probability`` is its share of the notes that carry a code of the group. Groups are of one
    version and kind; the codes beside them are of any. Codes that the taxonomy does not know stand
    with their nearest known prefix; a code without any place is in no group.

    Args:
        labels: a table `corpus/labels`, train split.
        taxonomy: a table `terminology/codes`.
    """
    if labels.is_empty():
        return empty_table("plan/group_cooccurrence")
    matrix, codes = note_code_matrix(labels)
    trained = labels.select("version", "code", "kind").unique()
    places = trained.join(
        pl.concat([taxonomy, describe_unknown(taxonomy, trained)]), on=["version", "code", "kind"]
    )
    names = pl.Series("codes", codes, dtype=pl.String)
    levels = []
    for level in LEVELS:
        members, groups = _groups_of(codes, places, level)
        counts, sizes = companions_of_groups(matrix, members)
        levels.append(
            pl.DataFrame(
                {
                    **groups.select(GROUP)[counts.row].to_dict(),
                    "code": names.gather(counts.col),
                    "notes": counts.data.astype(np.int64),
                    "probability": counts.data / sizes[counts.row],
                }
            ).with_columns(level=pl.lit(level))
        )
    return pl.concat(levels).select(list(empty_table("plan/group_cooccurrence").columns))
