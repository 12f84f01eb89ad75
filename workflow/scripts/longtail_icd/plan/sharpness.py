"""How sharply companions are chosen: so that drawn sets hold together as real ones do.

One number per corpus, fitted on the train split: what suits a large hospital makes the sets of a
small one, with its few notes per pair of codes, much too narrow.
"""

from itertools import combinations

import numpy as np
import polars as pl

from longtail_icd.common.hashing import hash64
from longtail_icd.plan.companions import LIFT_LIMIT, LIFT_PRIOR, Companions
from longtail_icd.plan.sampling import SIZED_TIERS, Sampler

STEPS = np.arange(51) / 10  # sharpness 0, 0.1, …, 5
SETS = 400  # that are compared


def closeness(model: Companions, sets: list[list[int]], real: bool) -> float:
    """Return the mean over sets of the mean logarithm of the lift of their pairs.

    Args:
        model: the companions.
        sets: columns of the model; sets of one code are passed over.
        real: whether the sets are train notes: then each is left out of its own pairs' counts,
            without which it would look closer than it is.
    """
    means = []
    for codes in sets:
        if len(codes) < 2:
            continue
        first, second = np.array(list(combinations(codes, 2))).T
        lift = model.lift[first, second].astype(np.float64)
        if real:
            lift -= 1 / (model.n[first] * model.share[second] + LIFT_PRIOR)
        means.append(np.log(lift.clip(1 / LIFT_LIMIT, LIFT_LIMIT)).mean())
    return float(np.mean(means)) if means else 0.0


def real_sets(labels: pl.DataFrame, model: Companions, seed: int) -> dict[str, list[int]]:
    """Return for some anchors with train notes the columns of the codes of one such note.

    Which ones depends on the train labels and the seed alone.
    """
    rare = [
        code for code, tier in zip(model.codes, model.tiers, strict=True) if tier in SIZED_TIERS
    ]
    anchors = sorted(rare or model.codes, key=lambda code: hash64(f"{seed}|{code}"))[:SETS]
    notes = dict(
        labels.filter(pl.col("code").is_in(anchors))
        .group_by("code")
        .agg(pl.col("note_id").sort())
        .iter_rows()
    )
    chosen = {
        code: notes[code][hash64(f"{seed}|{code}|note") % len(notes[code])] for code in anchors
    }
    wanted = labels.filter(pl.col("note_id").is_in(list(chosen.values())))
    codes = dict(wanted.group_by("note_id").agg(pl.col("code").sort()).iter_rows())
    return {code: [model.column[one] for one in codes[note]] for code, note in chosen.items()}


def fit_sharpness(labels: pl.DataFrame, model: Companions, sampler: Sampler, seed: int) -> float:
    """Return the least sharpness at which drawn sets are as close as real ones, 5 at most.

    For the same anchors a set of a train note and a drawn one; closeness grows with sharpness.

    Args:
        labels: note_id, code; train split, inside the label space.
        model: the companions.
        sampler: its own sharpness does not matter.
        seed: of the choice of anchors and notes.
    """
    real = real_sets(labels, model, seed)
    wanted = closeness(model, list(real.values()), real=True)
    low, high = 0, len(STEPS) - 1
    while low < high:
        middle = (low + high) // 2
        drawn = sampler.trial(list(real), float(STEPS[middle]))
        sets = [[model.column[code] for code in codes] for codes in drawn]
        if closeness(model, sets, real=False) < wanted:
            low = middle + 1
        else:
            high = middle
    return float(STEPS[low])
