"""Whether two codes share more notes than by chance: Fisher's exact test, for millions of pairs."""

import numpy as np
from scipy.special import gammaln

_ENOUGH = 1e-12  # a term of the tail that adds less than this share of the sum ends it


def _log_choose(n: np.ndarray | int, k: np.ndarray) -> np.ndarray:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _log_point(both: np.ndarray, a: np.ndarray, b: np.ndarray, notes: int) -> np.ndarray:
    """Return the logarithm of the hypergeometric probability of exactly ``both``."""
    return _log_choose(a, both) + _log_choose(notes - a, b - both) - _log_choose(notes, b)


def _tail(first: np.ndarray, a: np.ndarray, b: np.ndarray, notes: int, step: int) -> np.ndarray:
    """Return the sum of the probabilities of ``first``, ``first + step``, … to the end.

    Each term follows from the one before by a ratio; where the terms fall, the sum is soon done.
    """
    total = np.ones(len(first))  # in units of the first term
    term, at, waiting = total.copy(), first.copy(), np.arange(len(first))
    while len(waiting):
        n_a, n_b = a[waiting], b[waiting]
        if step > 0:
            ratio = (n_a - at) * (n_b - at) / ((at + 1) * (notes - n_a - n_b + at + 1))
        else:
            ratio = at * (notes - n_a - n_b + at) / ((n_a - at + 1) * (n_b - at + 1))
        term = term * ratio
        total[waiting] += term
        going = term > _ENOUGH * total[waiting]
        waiting, term, at = waiting[going], term[going], at[going] + step
    return total * np.exp(_log_point(first, a, b, notes))


def more_than_by_chance(both: np.ndarray, a: np.ndarray, b: np.ndarray, notes: int) -> np.ndarray:
    """Return one-sided p-values: the chance of at least ``both`` shared notes.

    The upper tail of the hypergeometric distribution, Fisher's exact test with alternative
    *greater*: ``a`` notes have the first code, ``b`` of ``notes`` the second, independently.
    Exact but for rounding (about 9 digits); below 1e-308 it is 0. Above the mean the upper tail is
    summed, below it one minus the lower one: either way the terms fall from the first. Two million
    pairs take seconds; `scipy.stats.hypergeom.sf`, the yardstick of the tests, takes minutes.

    Args:
        both: numbers of notes with both codes (float64, as a and b), at least 1.
        a: numbers of notes with the first code.
        b: numbers of notes with the second code.
        notes: number of notes.
    """
    above = both > a * b / notes
    p = np.empty(len(both))
    p[above] = _tail(both[above], a[above], b[above], notes, +1)
    p[~above] = 1 - _tail(both[~above] - 1, a[~above], b[~above], notes, -1)
    return np.clip(p, 0.0, 1.0)
