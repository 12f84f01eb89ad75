"""The train notes whose code sets an anchor may take over.

An anchor with train notes clones the whole code set of one of them; an anchor without takes the
code set of a train note with a sibling of the anchor, and stands in for that sibling. Cloning of
few-shot codes and the sibling swap are from reviews of the paper and its author's slides; cloning
for the tail and the fallback levels of the swap are inferred.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from longtail_icd.common.hashing import hash64
from longtail_icd.terminology.lookup import describe_unknown

# Where siblings are looked for, nearest first.
LEVELS = ("parent", "category", "block", "chapter")


@dataclass(frozen=True)
class Pool:
    """The train notes an anchor may draw from, sorted, and the siblings in each (clone: none)."""

    strategy: str
    notes: list[str]
    siblings: list[list[str]]


def anchor_random(seed: int, anchor: str) -> random.Random:
    """Return the generator of one anchor: the same in every process and Python version."""
    return random.Random(hash64(f"{seed}|{anchor}"))


def draw(pool: Pool, wanted: int, generator: random.Random) -> Iterator[tuple[str, str | None]]:
    """Yield ``wanted`` pairs (note, sibling to replace; clone: None).

    Notes come without replacement in random order; when they are used up, the same order starts
    again. Of several siblings in a note each is as likely. A smaller ``wanted`` gives the first
    pairs of a larger one.
    """
    size = len(pool.notes)
    moved: dict[int, int] = {}  # positions of a shuffled range that differ from the range
    order: list[int] = []
    for ordinal in range(wanted):
        if ordinal < size:
            # One step of a Fisher-Yates shuffle; only random() is stable between Python versions.
            other = ordinal + int(generator.random() * (size - ordinal))
            order.append(moved.get(other, other))
            moved[other] = moved.get(ordinal, ordinal)
        index = order[ordinal % size]
        siblings = pool.siblings[index]
        chance = generator.random()
        yield pool.notes[index], siblings[int(chance * len(siblings))] if siblings else None


def clone_pools(labels: pl.DataFrame, anchors: pl.DataFrame) -> dict[str, Pool]:
    """Return for every anchor with train notes the pool of those notes."""
    notes = (
        labels.join(anchors, on="code", how="semi").group_by("code").agg(pl.col("note_id").sort())
    )
    return {code: Pool("clone", ids, [[]] * len(ids)) for code, ids in notes.iter_rows()}


def sibling_pools(
    labels: pl.DataFrame, anchors: pl.DataFrame, taxonomy: pl.DataFrame
) -> dict[str, Pool]:
    """Return for anchors without train notes the pool of the nearest level that has siblings.

    Siblings at a level are trained codes with the anchor's version, kind and value of the level
    (the same parent, else category, else block, else chapter). Codes that the taxonomy does not
    know stand below their nearest known prefix. Anchors without siblings get no pool.

    Args:
        labels: note_id, version, code, kind, inside the label space.
        anchors: version, code, kind.
        taxonomy: a table `terminology/codes`.
    """
    wanted = pl.concat([frame.select("version", "code", "kind") for frame in (labels, anchors)])
    known = pl.concat([taxonomy, describe_unknown(taxonomy, wanted)])
    place = known.select("version", "code", *LEVELS)
    waiting = anchors.join(place, on=["version", "code"], how="left")
    trained = labels.join(place, on=["version", "code"], how="inner")
    pools: dict[str, Pool] = {}
    for level in LEVELS:
        group = ["version", "kind", level]
        notes = (
            trained.join(waiting, on=group, how="semi")
            .group_by(*group, "note_id")
            .agg(pl.col("code").sort())
            .sort("note_id")
            .group_by(group, maintain_order=True)
            .agg("note_id", "code")
        )
        # Anchors of one group share its pool: a chapter's notes are held once.
        shared = {
            (version, kind, value): Pool(f"sibling_{level}", ids, siblings)
            for version, kind, value, ids, siblings in notes.iter_rows()
        }
        for version, code, kind, value in waiting.select("version", "code", "kind", level).rows():
            if (version, kind, value) in shared:
                pools[code] = shared[version, kind, value]
        waiting = waiting.filter(~pl.col("code").is_in(list(pools)))
    return pools
