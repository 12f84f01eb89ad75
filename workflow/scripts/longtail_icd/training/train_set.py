"""Which notes a model learns from: the real ones, and those of a train set's recipes."""

import numpy as np
import polars as pl


def permute_anchors(synthetic: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Exchange the anchor labels among synthetic notes: a negative control.

    Text and companions stay; each note is filed under the anchor of another note, so the notes no
    longer say anything about the codes they were written for. The multiset of anchors is kept.
    """
    order = np.random.default_rng(seed).permutation(synthetic.height)
    ranked = synthetic["anchor_id"].gather(order).arg_sort()
    sorted_rows = order[ranked.to_numpy()]
    anchors = synthetic["anchor_id"].to_numpy()
    # Shifting the sorted anchors by the largest anchor's count gives every note another anchor.
    shift = int(np.bincount(anchors).max())
    new = np.empty_like(anchors)
    new[sorted_rows] = anchors[np.roll(sorted_rows, shift)]
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
    """Return the notes of a train set (training/tokens) and each one's weight in the loss."""
    added = pl.concat(synthetic) if synthetic else real.clear()
    if permute and added.height:
        added = permute_anchors(added, seed)
    weights = np.concatenate([np.ones(real.height), np.full(added.height, weight)])
    return pl.concat([real, added]), weights
