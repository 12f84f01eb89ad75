"""The code set of every note to write: an anchor and its companions.

Strategy ``paper``: an anchor with train notes clones the whole code set of one of them; an anchor
without takes the code set of a train note with a sibling of the anchor, and stands in for that
sibling. Cloning of few-shot codes and the sibling swap are from reviews of the paper and its
author's slides; cloning for the tail and the fallback levels of the swap are inferred. Strategy
``anchor``: the anchor alone.

Train notes only. Each anchor draws with a generator of its own, so that its requests depend on
nothing but the train labels, the seed and itself.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from longtail_icd.terminology.lookup import describe_unknown

# Where siblings are looked for, nearest first.
LEVELS = ("parent", "category", "block", "chapter")

_REQUEST = {
    "anchor": pl.String,
    "ordinal": pl.Int64,
    "strategy": pl.String,
    "source_note_id": pl.String,
    "replaced": pl.String,
}


@dataclass(frozen=True)
class Pool:
    """The train notes an anchor may draw from, sorted, and the siblings in each (clone: none)."""

    strategy: str
    notes: list[str]
    siblings: list[list[str]]


def anchor_random(seed: int, anchor: str) -> random.Random:
    """Return the generator of one anchor: the same in every process and Python version."""
    digest = hashlib.blake2b(f"{seed}|{anchor}".encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))


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


def _requests(anchors: pl.DataFrame, pools: dict[str, Pool], seed: int, without: str) -> Iterator:
    """Yield the rows of all requests; anchors without a pool get the strategy ``without``."""
    for anchor, wanted in anchors.select("code", "n_synthetic").sort("code").iter_rows():
        if anchor not in pools:
            yield from ((anchor, ordinal, without, None, None) for ordinal in range(wanted))
            continue
        pool = pools[anchor]
        drawn = draw(pool, wanted, anchor_random(seed, anchor))
        for ordinal, (note, replaced) in enumerate(drawn):
            yield anchor, ordinal, pool.strategy, note, replaced


def request_ids(requests: pl.DataFrame) -> pl.Series:
    """Return 16 hex digits per request over its anchor, its ordinal and its codes.

    Nothing of the recipe goes in, so that the same request of two recipes has the same name.
    64 bits: two of a million requests share a name with a chance of 3 in 100 million.
    """
    columns = requests.select("anchor", "ordinal", pl.col("codes").list.join(","))
    return pl.Series(
        "request_id",
        [
            hashlib.blake2b(f"{anchor}|{ordinal}|{codes}".encode(), digest_size=8).hexdigest()
            for anchor, ordinal, codes in columns.iter_rows()
        ],
        dtype=pl.String,
    )


def build_code_sets(
    labels: pl.DataFrame,
    tiers: pl.DataFrame,
    taxonomy: pl.DataFrame,
    allocation: pl.DataFrame,
    *,
    strategy: str,
    seed: int,
) -> pl.DataFrame:
    """Return a table `plan/code_sets`: the allocated number of requests per anchor.

    Before: anchor 038.9 with 2 notes to write, train notes {038.9, 401.9}, {038.9, 584.9, 486}.
    After: two requests, one with the codes of each note. Rows are sorted by anchor and then in
    the order drawn; codes are sorted and inside the label space. The column strategy says
    where a set comes from: clone, sibling_parent, sibling_category, sibling_block,
    sibling_chapter, alone (no trained code in any level) or anchor.

    Args:
        labels: a table `corpus/labels`, train split; its row order does not matter.
        tiers: a table `plan/tiers`, the label space.
        taxonomy: a table `terminology/codes`.
        allocation: a table `plan/allocation`.
        strategy: ``paper`` or ``anchor``.
        seed: of the draws.
    """
    inside = labels.join(tiers, on=["version", "code"], how="semi").select(
        "note_id", "version", "code", "kind"
    )
    anchors = allocation.join(
        tiers.select("version", "code", "kind"), on="code", maintain_order="left"
    )
    pools: dict[str, Pool] = {}
    if strategy == "paper":
        pools = clone_pools(inside, anchors)
        unseen = anchors.filter(~pl.col("code").is_in(list(pools)))
        pools |= sibling_pools(inside, unseen, taxonomy)
    without = "alone" if strategy == "paper" else "anchor"
    rows = _requests(anchors, pools, seed, without)
    requests = pl.DataFrame(rows, schema=_REQUEST, orient="row")
    cloned = inside.group_by("note_id").agg("code")
    everything = pl.concat_list(pl.col("code").fill_null(pl.lit([], pl.List(pl.String))), "anchor")
    codes = everything.list.set_difference(pl.concat_list("replaced")).list.sort()
    requests = requests.join(
        cloned, left_on="source_note_id", right_on="note_id", how="left", maintain_order="left"
    ).with_columns(codes=codes, reserve=pl.lit(False))
    return requests.with_columns(request_ids(requests)).select(
        "request_id", "anchor", "codes", "strategy", "source_note_id", "reserve"
    )


def summary(code_sets: pl.DataFrame) -> str:
    """Return one line for the log: requests by strategy."""
    counts = code_sets["strategy"].value_counts().sort("strategy").iter_rows()
    parts = ", ".join(f"{strategy} {count}" for strategy, count in counts)
    return f"{len(code_sets)} code sets: {parts}"
