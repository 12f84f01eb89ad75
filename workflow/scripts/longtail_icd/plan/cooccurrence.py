"""Which codes stand together in the train notes, and how much more often than by chance."""

import numpy as np
import polars as pl
from scipy import sparse

from longtail_icd.plan.significance import more_than_by_chance

PRIOR_NOTES = 0.5  # of the shrinkage of the NPMI
BEYOND_CHANCE = 0.001  # p-value that the log counts pairs by


def note_code_matrix(labels: pl.DataFrame) -> tuple[sparse.csr_array, list[str]]:
    """Return the binary matrix notes × codes (int32) and the sorted codes of its columns.

    Args:
        labels: a table `corpus/labels`; a repeated (note, code) counts once. Notes without any
            code are not in it and so have no row.
    """
    pairs = labels.select("note_id", "code").unique()
    codes = pairs["code"].unique().sort()
    # Enums number their values in the given order, so columns follow the sorted codes.
    columns = pairs["code"].cast(pl.Enum(codes)).to_physical().to_numpy()
    rows = (pairs["note_id"].rank("dense") - 1).to_numpy().astype(np.int64)
    shape = (pairs["note_id"].n_unique(), len(codes))
    ones = np.ones(len(pairs), dtype=np.int32)
    return sparse.csr_array((ones, (rows, columns)), shape=shape), codes.to_list()


def npmi(both: np.ndarray, expected: np.ndarray, notes: int) -> np.ndarray:
    """Return the normalised pointwise mutual information of code pairs, shrunk for small counts.

    ``ln((both + k) / (expected + k)) / -ln(both / notes)`` with k = 1/2: where two codes are
    independent 0, where they only ever stand together towards 1 the more notes show it, where
    they avoid each other below 0. k is a prior of half a note, as expected: a single shared note
    of two rare codes weighs little, hundreds are left as they are, and the value always lies
    between 0 and the unshrunk one (k = 0), so in [-1, 1].
    Edge case: a pair in every note (0/0 in the formula) gets the limit N / (N + k).

    Args:
        both: numbers of notes with both codes, at least 1.
        expected: those expected by chance, n_a n_b / N.
        notes: N, the number of notes.

    Sources: Bouma, Normalized (pointwise) mutual information in collocation extraction, 2009;
    the shrinkage: Norén, Hopstadius, Bate, Shrinkage observed-to-expected ratios for robust and
    transparent large-scale pattern discovery, 2013 (their information component).
    """
    information = np.log((both + PRIOR_NOTES) / (expected + PRIOR_NOTES))
    surprise = -np.log(both / notes)
    limit = np.full(len(both), notes / (notes + PRIOR_NOTES))
    return np.divide(information, surprise, out=limit, where=both < notes)


def mine_cooccurrence(labels: pl.DataFrame) -> pl.DataFrame:
    """Count for every pair of codes the notes that carry both; a table `plan/cooccurrence`.

    Before: notes {a, b}, {a, b, c}. After: (a, b, 2), (a, c, 1), (b, c, 1), each with its
    conditional probabilities, NPMI and p-value. One row per pair with ``code_a`` < ``code_b`` and
    at least one shared note, sorted; N is the number of notes with at least one code. Without
    labels there are no rows.

    Args:
        labels: a table `corpus/labels`, train split.
    """
    matrix, codes = note_code_matrix(labels)
    notes = matrix.shape[0]
    counts = matrix.sum(axis=0).astype(float)
    shared = sparse.triu(matrix.T @ matrix, k=1, format="csr")
    shared.sort_indices()
    pairs = shared.tocoo()
    both, a, b = pairs.data.astype(float), counts[pairs.row], counts[pairs.col]
    names = pl.Series("codes", codes, dtype=pl.String)
    return pl.DataFrame(
        {
            "code_a": names.gather(pairs.row),
            "code_b": names.gather(pairs.col),
            "notes": pairs.data.astype(np.int64),
            "p_b_given_a": both / a,
            "p_a_given_b": both / b,
            "npmi": npmi(both, a * b / notes, notes),
            "p_value": more_than_by_chance(both, a, b, notes),
        }
    )


def summary(pairs: pl.DataFrame) -> str:
    """Return one line for the log: pairs, those of a single note, those beyond chance."""
    single = pairs.filter(pl.col("notes") == 1).height
    beyond = pairs.filter(pl.col("p_value") < BEYOND_CHANCE).height
    return (
        f"{len(pairs)} pairs of codes share a train note, {single} of them a single one; {beyond} "
        f"do so more often than by chance (one-sided p < {BEYOND_CHANCE}, each pair by itself)"
    )
