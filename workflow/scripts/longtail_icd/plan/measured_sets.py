"""Code sets, planned or real, and what is measured of each of them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from scipy import sparse

from longtail_icd.plan.conflicts import REASONS, conflict_matrix
from longtail_icd.plan.set_features import LabelSpace, set_features

_CHUNK = 250  # sets that are held against all train notes at once


@dataclass(frozen=True)
class Sets:
    """Code sets of one side, planned or real.

    ``about``: one row per set: anchor (column of the matrices), tier and chapter of the anchor,
    source (row of the train note that the set is, or was copied from, or null). ``whole`` and
    ``companions``: binary, sets × codes, with and without the anchor. ``values``: see
    :func:`measure`.
    """

    about: pl.DataFrame
    whole: sparse.csr_array
    companions: sparse.csr_array
    values: pl.DataFrame

    def take(self, rows: np.ndarray) -> "Sets":
        """Return the sets of these rows, in this order; a row may repeat."""
        return Sets(self.about[rows], self.whole[rows], self.companions[rows], self.values[rows])


def without(sets: sparse.csr_array, columns: np.ndarray) -> sparse.csr_array:
    """Return the sets without one code each: ``columns`` of the matrix, one per row."""
    rows = np.repeat(np.arange(sets.shape[0]), np.diff(sets.indptr))
    kept = sets.indices != columns[rows]
    ends = np.cumsum(np.bincount(rows[kept], minlength=sets.shape[0]))
    cells = sets.data[kept], sets.indices[kept], np.concatenate([[0], ends])
    return sparse.csr_array(cells, shape=sets.shape)


def nearest_overlap(
    sets: sparse.csr_array, notes: sparse.csr_array, itself: np.ndarray
) -> np.ndarray:
    """Return each set's largest Jaccard overlap with a note other than ``itself``.

    Args:
        sets: binary, sets × codes; none empty.
        notes: binary, notes × codes, at least one.
        itself: per set the row of the note that it is; -1: of none.
    """
    largest = np.zeros(sets.shape[0])
    sizes, of_notes, by_code = np.diff(sets.indptr), np.diff(notes.indptr), notes.T.tocsr()
    for start in range(0, sets.shape[0], _CHUNK):
        part = slice(start, start + _CHUNK)
        shared = (sets[part] @ by_code).toarray()
        overlap = shared / (sizes[part, None] + of_notes - shared)
        own = np.flatnonzero(itself[part] >= 0)
        overlap[own, itself[part][own]] = 0
        largest[part] = overlap.max(axis=1)
    return largest


def contradicting(
    sets: sparse.csr_array, conflicts: pl.DataFrame, codes: pl.Series
) -> dict[str, np.ndarray]:
    """Return by reason which sets hold a pair of codes that contradict each other.

    Args:
        sets: binary, sets × codes.
        conflicts: a table `plan/conflicts`.
        codes: of the columns.
    """
    used = np.unique(sets.indices)  # a label space can hold a whole code system
    part, names = sets[:, used], codes.gather(used).to_list()
    found = {}
    for reason in REASONS:
        pairs = conflict_matrix(conflicts.filter(reason=reason), names).astype(np.int32)
        found[reason] = (part @ pairs).multiply(part).sum(axis=1) > 0
    return found


def names_of(sets: sparse.csr_array) -> pl.Series:
    """Return a name per set, the same for the same codes alone."""
    ends = sets.indptr.tolist()
    columns = sets.indices.astype(np.int32)
    names = [columns[one:end].tobytes() for one, end in pairwise(ends)]
    return pl.Series("name", names, dtype=pl.Binary)


def is_copied(
    about: pl.DataFrame, companions: sparse.csr_array, notes: sparse.csr_array
) -> np.ndarray:
    """Return which sets have all their companions from their source."""
    copied = np.zeros(len(about), dtype=bool)
    rows = np.flatnonzero(about["source"].is_not_null())
    sources = notes[about["source"].gather(rows).to_numpy()]
    shared = companions[rows].multiply(sources).sum(axis=1)
    copied[rows] = shared == np.diff(companions.indptr)[rows]
    return copied


def measure(
    about: pl.DataFrame,
    whole: sparse.csr_array,
    notes: sparse.csr_array,
    space: LabelSpace,
    conflicts: pl.DataFrame,
    real: bool,
) -> Sets:
    """Measure code sets one by one.

    The values are those of :func:`set_features.set_features` for the companions, and of the whole
    set: ``codes``, its size; ``excludes1``, ``sex``, ``age``, whether codes contradict each other;
    ``copy``, whether a train note has just these codes; ``duplicate``, whether another set of the
    same side has. A real set's copies and duplicates are the other train notes.

    Args:
        about: anchor, tier, chapter, source; see :class:`Sets`.
        whole: binary, sets × codes.
        notes: the train notes, binary, notes × codes.
        space: the label space.
        conflicts: a table `plan/conflicts`.
        real: whether the sets are train notes.
    """
    companions = without(whole, about["anchor"].to_numpy())
    names = names_of(whole)
    times = names_of(notes).value_counts(name="times")
    in_train = names.to_frame().join(times, on="name", how="left", maintain_order="left")["times"]
    copy = in_train.fill_null(0) > int(real)
    own = is_copied(about, companions, notes)
    values = set_features(companions, own, space).with_columns(
        codes=np.diff(whole.indptr).astype(np.int64),
        copy=copy,
        duplicate=copy if real else names.is_duplicated(),
        **contradicting(whole, conflicts, space.codes["code"]),
    )
    return Sets(about, whole, companions, values)
