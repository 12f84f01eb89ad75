"""Which train notes may serve as examples for an anchor, and how well each fits a request.

Notes that carry the anchor come first, then notes with its nearest siblings (same parent, else
category, block, chapter). Within a level the order goes by the codes that note and request share,
weighted by inverse frequency, and by how well the note's words fit the anchor's wordings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from longtail_icd.common.hashing import hash64
from longtail_icd.plan.cooccurrence import note_code_matrix
from longtail_icd.plan.pools import LEVELS

POOL = 100  # notes that are compared for one anchor


def mixed(numbers: np.ndarray, salt: int) -> np.ndarray:
    """Return other 64-bit numbers for the same ``numbers``, unrelated from salt to salt.

    The finaliser of splitmix64 (Steele et al. 2014). With it each anchor draws its own sample of
    notes, whatever the order of the notes.
    """
    x = numbers ^ np.uint64(salt)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True)
class TrainNotes:
    """The train notes, sorted by id, and their codes.

    ``carries`` is binary, notes × codes (sorted), with the codes' columns by name in ``column``;
    ``groups`` holds, per level, the columns of the codes at each place of the taxonomy.
    """

    note_ids: list[str]
    hashes: np.ndarray
    carries: sparse.csr_array
    column: dict[str, int]
    places: dict[str, tuple]
    groups: list[dict[tuple, list[int]]]


class Pools:
    """The notes to compare for each anchor, at most :data:`POOL`.

    Args:
        notes: the train notes.
        seed: of the draw where a level has more notes than needed.
    """

    def __init__(self, notes: TrainNotes, seed: int):
        self._notes, self._seed = notes, seed
        self._carriers = notes.carries.tocsc()
        self._of_group: dict[tuple[int, tuple], np.ndarray] = {}

    def _with_any(self, columns: list[int]) -> np.ndarray:
        starts = self._carriers.indptr
        parts = [self._carriers.indices[starts[one] : starts[one + 1]] for one in columns]
        return np.unique(np.concatenate([np.empty(0, dtype=np.int32), *parts]))

    def _levels(self, anchor: str) -> Iterator[np.ndarray]:
        """Yield the notes with the anchor, and those with a sibling of each level."""
        own = self._notes.column.get(anchor)
        yield self._with_any([] if own is None else [own])
        for level, place in enumerate(self._notes.places[anchor]):
            if (level, place) not in self._of_group:
                columns = self._notes.groups[level].get(place, [])
                self._of_group[level, place] = self._with_any(columns)
            yield self._of_group[level, place]

    def of(self, anchor: str) -> tuple[np.ndarray, np.ndarray]:
        """Return rows of notes and the level of each: 0 with the anchor, 1 its parent, ….

        A level is only asked for notes that the nearer ones do not have; if it has more than are
        wanted, the anchor draws some.
        """
        salt = hash64(f"{self._seed}|{anchor}")
        found: list[np.ndarray] = []
        left, taken = POOL, np.zeros(len(self._notes.note_ids), dtype=bool)
        for notes in self._levels(anchor):
            new = notes[~taken[notes]]
            if len(new) > left:
                drawn = mixed(self._notes.hashes[new], salt)
                new = new[np.argsort(drawn)[:left]]
            found.append(new)
            taken[new] = True
            left -= len(new)
            if not left:
                break
        return np.concatenate(found), np.repeat(np.arange(len(found)), [len(one) for one in found])


class Overlap:
    """Weighted Jaccard overlap of code sets: shared weight over the weight of both together.

    A code weighs ln(N / n): N train notes, n of them with the code. 1 for the same set of
    weighted codes, 0 for none in common. Codes without a train note weigh nothing.

    Args:
        notes: the train notes.
        code_sets: of the requests.
    """

    def __init__(self, notes: TrainNotes, code_sets: pl.Series):
        weight = np.log(len(notes.note_ids) / notes.carries.sum(axis=0))
        codes = pl.DataFrame({"codes": code_sets}).with_row_index("row").explode("codes")
        column = pl.col("codes").replace_strict(notes.column, default=None, return_dtype=pl.Int32)
        row, columns = codes.select("row", column).drop_nulls().to_numpy().T
        shape = len(code_sets), len(weight)
        self._wanted = sparse.csr_array((weight[columns], (row, columns)), shape=shape)
        self._carries = notes.carries
        self._of_set = self._wanted.sum(axis=1)
        self._of_note = notes.carries @ weight

    def of(self, requests: slice, rows: np.ndarray) -> np.ndarray:
        """Return the overlap of consecutive requests with each of the notes, requests × notes."""
        shared = (self._wanted[requests] @ self._carries[rows].T).toarray()
        either = self._of_set[requests, None] + self._of_note[rows] - shared
        return np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)


def train_notes(labels: pl.DataFrame, known: pl.DataFrame) -> TrainNotes:
    """Return the notes that have a code.

    Args:
        labels: note_id, version, code, kind; train split, inside the label space.
        known: rows of `terminology/codes` for every code of the label space.
    """
    note_ids = labels["note_id"].unique().sort()
    carries, codes = note_code_matrix(labels)
    column = {code: number for number, code in enumerate(codes)}
    places: dict[str, tuple] = {}
    groups: list[dict[tuple, list[int]]] = [{} for _ in LEVELS]
    for version, kind, code, *levels in known.select(
        "version", "kind", "code", *LEVELS
    ).iter_rows():
        places[code] = tuple((version, kind, value) for value in levels)
        for level, value in enumerate(levels):
            if value is not None and code in column:
                groups[level].setdefault((version, kind, value), []).append(column[code])
    hashes = np.array([hash64(note) for note in note_ids], dtype=np.uint64)
    return TrainNotes(note_ids.to_list(), hashes, carries, column, places, groups)


def rank(
    overlap: np.ndarray, text: np.ndarray, levels: np.ndarray, ties: np.ndarray, text_weight: float
) -> np.ndarray:
    """Return for each request the positions of the notes, best first; requests × notes.

    Nearer levels come first; within a level ``(1 - w) overlap + w text`` decides, then ``ties``.

    Args:
        overlap: requests × notes, 0 to 1.
        text: score of each note's words, at least 0; taken relative to the best.
        levels: of each note.
        ties: a number per note, all different.
        text_weight: w.
    """
    relative = text / text.max() if text.any() else text
    fit = (1 - text_weight) * overlap + text_weight * relative
    keys = np.broadcast_to(ties, fit.shape), -fit, np.broadcast_to(levels, fit.shape)
    return np.lexsort(keys, axis=1)


def assign(
    rankings: Mapping[str, np.ndarray], order: list[str], count: int, max_uses: int
) -> dict[str, list[int]]:
    """Give every request its best notes that are not used up; fewer where its list ends.

    In rounds: nobody gets a second note before everybody had the choice of a first.

    Args:
        rankings: per request the rows of notes, best first.
        order: the requests in the order in which they choose.
        count: notes of a request.
        max_uses: most requests that one note serves.
    """
    uses: dict[int, int] = {}
    chosen: dict[str, list[int]] = {request: [] for request in order}
    left = {request: iter(rankings[request].tolist()) for request in order}
    for _ in range(count):
        for request in order:
            row = next((row for row in left[request] if uses.get(row, 0) < max_uses), None)
            if row is not None:
                uses[row] = uses.get(row, 0) + 1
                chosen[request].append(row)
    return chosen
