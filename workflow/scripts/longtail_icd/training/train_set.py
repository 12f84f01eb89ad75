"""Which notes a model learns from: the real ones, and those of a train set's recipes."""

import math

import numpy as np
import polars as pl


def _derange(anchors: np.ndarray, seed: int) -> np.ndarray:
    """Shuffle ``anchors`` so that as few places as possible keep their value.

    A place that kept its value swaps with a random one that suits both. Where there is none, the
    value fills more than half of all places, and no order could do better.
    """
    generator = np.random.default_rng(seed)
    new = generator.permutation(anchors)
    for place in np.flatnonzero(new == anchors):
        value = anchors[place]
        partners = np.flatnonzero((anchors != value) & (new != value))
        if new[place] == value and len(partners):
            partner = generator.choice(partners)
            new[place], new[partner] = new[partner], value
    return new


def permute_anchors(synthetic: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Exchange the anchor labels among synthetic notes: a negative control.

    Text and companions stay; each note is filed under the anchor of another note, so the notes no
    longer say anything about the anchors they are filed under. The multiset of anchors is kept, and
    the exchange is random: notes of one anchor do not all go to the same other one.
    """
    anchors = synthetic["anchor_id"].to_numpy()
    new = _derange(anchors, seed)
    labels = [
        sorted({label for label in labels if label != old} | {int(anchor)})
        for labels, old, anchor in zip(synthetic["label_ids"], anchors, new, strict=True)
    ]
    return synthetic.with_columns(
        pl.Series("label_ids", labels, dtype=pl.List(pl.Int32)),
        pl.Series("anchor_id", new, dtype=pl.Int32),
    )


def assemble(
    real: pl.DataFrame, synthetic: list[pl.DataFrame], weight: float, permute: bool, seed: int
) -> tuple[pl.DataFrame, np.ndarray]:
    """Return the notes of a train set and each one's weight in the loss.

    The notes are training/tokens and ``guideline_labels``: the labels a note's guideline speaks of,
    which are those the note was written for. A permuted note keeps them: its guideline belongs to
    what is exchanged. Made from the new labels instead, it would teach the new anchor's wording.
    """
    added = pl.concat(synthetic) if synthetic else real.clear()
    notes = pl.concat([real, added]).with_columns(guideline_labels="label_ids")
    if permute and added.height:
        permuted = permute_anchors(notes[real.height :], seed)
        notes = pl.concat([notes[: real.height], permuted])
    return notes, np.concatenate([np.ones(real.height), np.full(added.height, weight)])


def number_of_steps(notes: int, batch_size: int, epochs: float) -> int:
    """Return the optimizer steps of ``epochs`` passes over ``notes``; a short batch is a step."""
    return math.ceil(math.ceil(notes / batch_size) * epochs)
