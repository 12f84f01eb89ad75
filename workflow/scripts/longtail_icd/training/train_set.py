"""Which notes a model learns from: the real ones, and those that a train set adds to them.

A train set's options act one after another, each in a function of its own: the notes of its
recipes, cut to a dose, are replaced by the real notes they were made from (oversample), lose
labels that nothing vouches for (companions), or have their anchors exchanged (permute_anchors).
"""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.common.errors import UserError

# Verdicts of the screening on a companion that the note supports; see docs/screening.md.
VERIFIED = ("stated", "quoted")
IDS = pl.List(pl.Int32)
NO_IDS = pl.lit([], dtype=IDS)


def keep_dose(synthetic: pl.DataFrame, dose: float) -> pl.DataFrame:
    """Return a share of each anchor's notes: the same notes for every seed, in their order.

    Of n notes, dose x n are kept, rounded up or down by chance so that anchors with few notes get
    their share on average. A smaller dose is a part of a larger one.

    Before: anchor 3 with notes a, b, c, d. After, dose 0.5: two of them; dose 0.25: one of the two.
    """
    chance = [random.Random(f"dose/{note}").random() for note in synthetic["note_id"]]
    anchors = synthetic["anchor_id"]
    offsets = [random.Random(f"dose/anchor/{anchor}").random() for anchor in anchors]
    places = pl.DataFrame({"anchor": anchors, "chance": chance, "offset": offsets})
    rank = pl.col("chance").rank("ordinal").over("anchor") - 1
    # The kept ranks are those below dose x n - offset: dose x n of them on average.
    kept = places.select(rank + pl.col("offset") < dose * pl.len().over("anchor"))
    return synthetic.filter(kept.to_series())


def repeat_sources(
    real: pl.DataFrame, synthetic: pl.DataFrame, code_sets: pl.DataFrame
) -> pl.DataFrame:
    """Return, for each synthetic note with a cloned code set, the real note it was cloned from.

    A control: the same codes, as often, without a word of the writer's. Synthetic notes with other
    code sets (of a sibling, or of the anchor alone) have no real note with their codes and give
    nothing; the log says how many.

    Args:
        real: tokens of the train notes.
        synthetic: tokens of a recipe's notes; note_id is the request's id.
        code_sets: the recipe's table plan/code_sets.

    Raises:
        UserError: no note of the recipe has a cloned code set.
    """
    clones = code_sets.filter(strategy="clone").select("request_id", "source_note_id")
    sources = synthetic.select("note_id", "anchor_id").join(
        clones, left_on="note_id", right_on="request_id", maintain_order="left"
    )
    if sources.is_empty():
        raise UserError(
            "train_sets.*.oversample: no note of the recipe has the code set of a real note, so "
            "there is nothing to repeat; recipes.*.code_sets.strategy: paper has such notes"
        )
    print(f"{sources.height} of {synthetic.height} synthetic notes replaced by their source")
    notes = sources.select("anchor_id", note_id="source_note_id").join(
        real.drop("anchor_id"), on="note_id", how="left", maintain_order="left"
    )
    return notes.select(real.columns)


def mask_unverified(
    synthetic: pl.DataFrame, labels: pl.DataFrame, codes: Sequence[str]
) -> pl.DataFrame:
    """Move companions that screening did not find in the note from label_ids to masked_ids.

    Before: label_ids [3, 5, 8], anchor 3, of the companions only 8 is stated.
    After: label_ids [3, 8], masked_ids [5]: whether the note has 5 is left open. Of a companion of
    weight 0 it is not: the note contradicts it, it is no label and stays none.

    Args:
        synthetic: tokens of a recipe's notes; note_id is the request's id.
        labels: the recipe's table generation/labels.
        codes: the label space, in label order.
    """
    ids = pl.DataFrame({"code": codes}).with_row_index("label").cast({"label": pl.Int32})
    unverified = labels.filter(
        (pl.col("role") == "companion")
        & (pl.col("weight") > 0)
        & ~pl.col("verdict").is_in(VERIFIED)
    ).join(ids, on="code")
    masked = unverified.group_by("request_id").agg(masked_ids=pl.col("label").sort())
    joined = synthetic.join(
        masked, left_on="note_id", right_on="request_id", how="left", maintain_order="left"
    ).with_columns(pl.col("masked_ids").fill_null(NO_IDS))
    return joined.with_columns(
        label_ids=pl.col("label_ids").list.set_difference("masked_ids").list.sort()
    )


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
    """Exchange the anchor labels among synthetic notes (with masked_ids): a negative control.

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
        pl.Series("label_ids", labels, dtype=IDS), pl.Series("anchor_id", new, dtype=pl.Int32)
    ).with_columns(
        masked_ids=pl.col("masked_ids").list.set_difference(pl.concat_list("anchor_id")).list.sort()
    )


def add_notes(
    synthetic: Sequence[pl.DataFrame],
    options: dict[str, Any],
    real: pl.DataFrame,
    code_sets: Sequence[pl.DataFrame] = (),
) -> list[pl.DataFrame]:
    """Return the notes that a train set adds, per recipe, with the labels they came with.

    Args:
        synthetic: tokens of each recipe's notes.
        options: the train set's block of the configuration.
        real: tokens of the train notes.
        code_sets: each recipe's table plan/code_sets, if the train set oversamples.
    """
    added = [keep_dose(notes, options["dose"]) for notes in synthetic]
    if options["oversample"]:
        added = [
            repeat_sources(real, notes, sets) for notes, sets in zip(added, code_sets, strict=True)
        ]
    return added


def assemble(
    real: pl.DataFrame,
    added: Sequence[pl.DataFrame],
    options: dict[str, Any],
    seed: int,
    labels: Sequence[pl.DataFrame] = (),
    codes: Sequence[str] = (),
) -> tuple[pl.DataFrame, np.ndarray]:
    """Return the notes of a train set and each one's weight in the loss.

    The real notes come first, ``real_passes`` times over, then the added ones.
    The notes are training/tokens and two columns: ``masked_ids``, labels that take no part in the
    loss, and ``guideline_labels``, those that a note's guideline speaks of. These are the labels
    the note was written for. A permuted note keeps them: its guideline belongs to what is
    exchanged. Made from the new labels instead, it would teach the new anchor's wording.

    Args:
        real: tokens of the train notes.
        added: what add_notes returned.
        options: the train set's block of the configuration.
        seed: of the permutation.
        labels: each recipe's table generation/labels, under ``companions: anchor``.
        codes: the label space, then.
    """
    if options["companions"] == "anchor":
        added = [
            mask_unverified(notes, table, codes) for notes, table in zip(added, labels, strict=True)
        ]
    else:
        added = [notes.with_columns(masked_ids=NO_IDS) for notes in added]
    passes = [real.with_columns(masked_ids=NO_IDS)] * options["real_passes"]
    notes = pl.concat([*passes, *added]).with_columns(guideline_labels="label_ids")
    visits = real.height * options["real_passes"]
    if options["permute_anchors"] and notes.height > visits:
        notes = pl.concat([notes[:visits], permute_anchors(notes[visits:], seed)])
    weights = np.full(notes.height, float(options["weight"]))
    weights[:visits] = 1.0
    return notes, weights
