"""Which codes stand together in the train notes, and how much more often than by chance."""

import numpy as np
import polars as pl
from scipy import sparse


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


def npmi(both: np.ndarray, a: np.ndarray, b: np.ndarray, notes: int) -> np.ndarray:
    """Return the normalised pointwise mutual information of code pairs.

    ``ln(p_ab / (p_a p_b)) / -ln(p_ab)`` with p = count / ``notes``: 1 where the two codes only
    ever stand together, 0 where they are independent, towards -1 where they avoid each other.
    Edge cases: a pair in every note (p_ab = 1, 0/0 in the formula) gets the limit 1; a pair that
    shares no note (limit -1) is never asked for. Rounding is cut off at -1 and 1.

    Args:
        both: numbers of notes with both codes, at least 1.
        a: numbers of notes with the first code.
        b: numbers of notes with the second code.
        notes: number of notes.

    Source: Bouma, Normalized (pointwise) mutual information in collocation extraction, 2009.
    """
    together = both / notes
    information = np.log(together) - np.log(a / notes) - np.log(b / notes)
    surprise = -np.log(together)
    everywhere = both == notes
    value = np.divide(information, surprise, out=np.ones(len(both)), where=~everywhere)
    return np.clip(value, -1.0, 1.0)


def mine_cooccurrence(labels: pl.DataFrame) -> pl.DataFrame:
    """Count for every pair of codes the notes that carry both; a table `plan/cooccurrence`.

    Before: notes {a, b}, {a, b, c}. After: (a, b, 2), (a, c, 1), (b, c, 1), each with its NPMI.
    One row per pair with ``code_a`` < ``code_b`` and at least one shared note, sorted; N of the
    NPMI is the number of notes with at least one code. Without labels there are no rows.

    Args:
        labels: a table `corpus/labels`, train split.
    """
    matrix, codes = note_code_matrix(labels)
    counts = matrix.sum(axis=0)
    shared = sparse.triu(matrix.T @ matrix, k=1, format="csr")
    shared.sort_indices()
    pairs = shared.tocoo()
    names = pl.Series("codes", codes, dtype=pl.String)
    return pl.DataFrame(
        {
            "code_a": names.gather(pairs.row),
            "code_b": names.gather(pairs.col),
            "notes": pairs.data.astype(np.int64),
            "npmi": npmi(pairs.data, counts[pairs.row], counts[pairs.col], matrix.shape[0]),
        }
    )
