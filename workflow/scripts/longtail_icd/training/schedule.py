"""When real and added notes are trained on: each as often as in plain concatenation, only when."""

import itertools
import math
from collections.abc import Callable

import numpy as np


def _concatenate(time: float, share: float) -> float:
    return share * time


def _synthetic_then_real(time: float, share: float) -> float:
    return min(time, share)


def _annealed(time: float, share: float) -> float:
    """Integrate the share of added notes, which falls linearly and is ``share`` on average.

    Down to 0 at the end, from twice the average; where that is more than 1, from 1 downwards.
    """
    start = min(1.0, 2 * share)
    return start * time - (start - share) * time**2


# The visits of added notes up to a time, as a share of all visits; time in [0, 1].
ORDERS = {
    "concatenate": _concatenate,
    "synthetic_then_real": _synthetic_then_real,
    "annealed": _annealed,
}


def added_per_epoch(order: str, real: int, notes: int, epochs: int) -> list[int]:
    """Return how many of an epoch's ``notes`` visits go to added notes, for each epoch.

    Example: 6 real and 4 added notes, 2 epochs. concatenate: 4, 4; synthetic_then_real: 8, 0;
    annealed: 6, 2.
    """
    share = (notes - real) / notes
    until = [
        math.floor(notes * epochs * ORDERS[order](epoch / epochs, share) + 0.5)
        for epoch in range(epochs + 1)
    ]
    return [after - before for before, after in itertools.pairwise(until)]


def _passes(notes: np.ndarray, start: int, count: int, seed: tuple[int, ...]) -> np.ndarray:
    """Return ``count`` visits from ``start`` on: pass after pass, each in an order of its own."""
    if count == 0:
        return notes[:0]
    numbers = range(start // len(notes), (start + count - 1) // len(notes) + 1)
    orders = [np.random.default_rng((*seed, number)).permutation(notes) for number in numbers]
    first = start % len(notes)
    return np.concatenate(orders)[first : first + count]


def visits_of(
    order: str, real: int, notes: int, epochs: int, seed: int
) -> Callable[[int], np.ndarray] | None:
    """Return what gives an epoch's notes, or nothing where each epoch has every note once.

    Epochs are of one length, so that steps mean the same in every order. Over all epochs each note
    is visited as often as there are epochs; no note twice before all of its kind once.

    Args:
        order: concatenate, synthetic_then_real or annealed.
        real: number of real notes; they are the first.
        notes: number of all notes.
        epochs: epochs in all.
        seed: of the orders within a pass.
    """
    if order == "concatenate":
        return None
    added = added_per_epoch(order, real, notes, epochs)

    def visits(epoch: int) -> np.ndarray:
        before, now = sum(added[:epoch]), added[epoch]
        real_before = epoch * notes - before
        return np.concatenate(
            [
                _passes(np.arange(real), real_before, notes - now, (seed, 0)),
                _passes(np.arange(real, notes), before, now, (seed, 1)),
            ]
        )

    return visits
