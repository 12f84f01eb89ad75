"""What code sets look like in numbers: their size, their pairs, where their codes stand."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from longtail_icd.common.tiers import TIERS
from longtail_icd.plan.cooccurrence import npmi
from longtail_icd.terminology.lookup import describe_unknown

PLACES = ("parent", "category", "chapter")
_CHUNK = 4096  # sets whose pairs are held at once


@dataclass(frozen=True)
class LabelSpace:
    """The codes of the label space, sorted, and what is known of each and of their pairs.

    ``codes``: code, tier, n_train and, by number, the places parent, category and chapter.
    ``keys``: ``a * len(codes) + b`` of the pairs (columns a < b) that train notes hold, sorted,
    with ``counts``, their numbers of notes; ``notes``: train notes with a code.
    """

    codes: pl.DataFrame
    keys: np.ndarray
    counts: np.ndarray
    notes: int

    def matrix(self, members: pl.DataFrame, rows: int) -> sparse.csr_array:
        """Return the binary matrix sets × codes of ``members``: row, code, each once.

        Codes outside the label space are left out.
        """
        columns = self.codes.select("code").with_row_index("column")
        cells = members.join(columns, on="code").sort("row", "column").select("row", "column")
        row, column = cells.to_numpy().astype(np.int64).T
        ones = np.ones(len(cells), dtype=np.int32)
        return sparse.csr_array((ones, (row, column)), shape=(rows, len(columns)))

    def shared_notes(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return how many train notes hold both codes; columns ``a`` < ``b``, elementwise."""
        if not len(self.keys):
            return np.zeros(len(a), dtype=np.int64)
        wanted = a * len(self.codes) + b
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[place] == wanted, self.counts[place], 0)


def _numbered(place: str) -> pl.Expr:
    """Return numbers of the codes' places; those of two code systems or kinds are never one."""
    alone = pl.lit("none") if place == "chapter" else pl.format("{}, alone", "code")
    name = pl.coalesce(place, alone)
    number = pl.concat_str("version", "kind", name, separator="|").rank("dense")
    return (number.cast(pl.Int64) - 1).alias(place)


def label_space(
    tiers: pl.DataFrame, taxonomy: pl.DataFrame, cooccurrence: pl.DataFrame, notes: int
) -> LabelSpace:
    """Return the label space; a code without a known place has no siblings.

    Its parent and category are its own; its chapter holds all such codes.

    Args:
        tiers: a table `plan/tiers`.
        taxonomy: a table `terminology/codes`.
        cooccurrence: a table `plan/cooccurrence`.
        notes: train notes with a code.
    """
    known = pl.concat([taxonomy, describe_unknown(taxonomy, tiers)])
    placed = tiers.sort("code").join(
        known.select("version", "code", *PLACES),
        on=["version", "code"],
        how="left",
        maintain_order="left",
    )
    codes = placed.select("code", "tier", "n_train", *map(_numbered, PLACES))
    column = codes.select("code").with_row_index("column")
    pairs = (
        cooccurrence.select("code_a", "code_b", "notes")
        .join(column.rename({"code": "code_a", "column": "a"}), on="code_a")
        .join(column.rename({"code": "code_b", "column": "b"}), on="code_b")
        .select(pl.col("a").cast(pl.Int64) * len(codes) + pl.col("b"), "notes")
        .sort("a")
    )
    return LabelSpace(codes, pairs["a"].to_numpy(), pairs["notes"].to_numpy(), notes)


def pairs_of(sets: sparse.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, a and b of every pair of codes of every set, a < b.

    Args:
        sets: binary, sets × codes, with sorted indices.
    """
    sizes = np.diff(sets.indptr)
    parts = [np.empty((3, 0), dtype=np.int64)]
    for size in np.unique(sizes[sizes > 1]):
        rows = np.flatnonzero(sizes == size)
        columns = sets.indices[sets.indptr[rows][:, None] + np.arange(size)]
        first, second = np.triu_indices(size, 1)
        of_row = np.repeat(rows, len(first))
        parts.append(np.stack([of_row, columns[:, first].ravel(), columns[:, second].ravel()]))
    row, a, b = np.concatenate(parts, axis=1)
    return row, a, b


def _of_pairs(sets: sparse.csr_array, own: np.ndarray, space: LabelSpace) -> pl.DataFrame:
    """Return what the pairs of each set say; one row per set, see :func:`set_features`."""
    row, a, b = pairs_of(sets)
    out = own[row].astype(np.int64)
    both = space.shared_notes(a, b) - out
    frequency = space.codes["n_train"].to_numpy()
    expected = (frequency[a] - out) * (frequency[b] - out) / np.maximum(space.notes - out, 1)
    value = np.full(len(row), np.nan)
    for left_out in (0, 1):  # N is one number in the formula
        part = (both > 0) & (out == left_out)
        value[part] = npmi(both[part].astype(float), expected[part], space.notes - left_out)
    same = {
        f"same_{place}": space.codes[place].to_numpy()[a] == space.codes[place].to_numpy()[b]
        for place in ("parent", "category")
    }
    pairs = pl.DataFrame({"row": row, "unseen": both <= 0, "npmi": value, **same})
    seen = pl.col("npmi").fill_nan(None)
    per_set = pairs.group_by("row").agg(
        pl.col("unseen").mean(),
        npmi_mean=seen.mean(),
        npmi_min=seen.min(),
        npmi_max=seen.max(),
        same_parent=pl.col("same_parent").sum(),
        same_category=pl.col("same_category").sum(),
    )
    rows = pl.DataFrame({"row": np.arange(sets.shape[0])})
    return rows.join(per_set, on="row", how="left", maintain_order="left").drop("row")


def set_features(sets: sparse.csr_array, own: np.ndarray, space: LabelSpace) -> pl.DataFrame:
    """Return one row per set: size, its pairs, its codes' frequency, tiers and chapters.

    - ``unseen``: share of its pairs that no train note holds; ``npmi_mean``, ``npmi_min``,
      ``npmi_max``: of the others, see :func:`cooccurrence.npmi`; null without a pair of the kind.
    - ``same_parent``, ``same_category``: number of pairs with the same node above them.
    - ``frequency``: mean of ln(1 + train notes) of its codes.
    - ``head`` … ``zero_shot`` and ``chapter_0`` …: numbers of codes.

    Leave-one-out: a set that is a train note's own (``own``) is held against the other notes. One
    note less goes into all its counts; else it would have no unseen pair by construction.

    Args:
        sets: binary, sets × codes, with sorted indices.
        own: whether the set is all of a train note, or part of it.
        space: the label space.
    """
    size = np.diff(sets.indptr).astype(np.int64)
    notes = space.codes["n_train"].to_numpy()
    frequency = np.where(own, sets @ np.log(np.maximum(notes, 1)), sets @ np.log1p(notes))
    features = {"size": size, "frequency": frequency / np.maximum(size, 1)}
    for tier in TIERS:
        features[tier] = sets @ (space.codes["tier"] == tier).to_numpy().astype(np.int64)
    chapter = space.codes["chapter"].to_numpy()
    for number in range(int(chapter.max(initial=-1)) + 1):
        features[f"chapter_{number}"] = sets @ (chapter == number).astype(np.int64)
    chunks = [
        _of_pairs(sets[start : start + _CHUNK], own[start : start + _CHUNK], space)
        for start in range(0, max(sets.shape[0], 1), _CHUNK)
    ]
    return pl.concat([pl.DataFrame(features), pl.concat(chunks)], how="horizontal")
