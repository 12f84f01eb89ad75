"""The code set of every note to write: an anchor and its companions.

Strategies: ``paper`` (a real set cloned, or a sibling in it swapped for the anchor; see pools.py),
``sample`` (drawn code by code; see sampling.py) and ``anchor`` (the anchor alone).

Train notes only. Each anchor draws with random numbers of its own, so that its requests depend on
nothing but the train labels, the seed and itself.
"""

import hashlib
import math
from collections.abc import Iterator

import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.plan.companions import Companions
from longtail_icd.plan.conflicts import conflict_matrix
from longtail_icd.plan.pools import Pool, anchor_random, clone_pools, draw, sibling_pools
from longtail_icd.plan.sampling import Sampler, Sizes
from longtail_icd.plan.sharpness import fit_sharpness

COLUMNS = list(TABLES["plan/code_sets"].columns)


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


def wanted_requests(anchors: pl.DataFrame, reserve: float) -> pl.DataFrame:
    """Return the requests of every anchor: columns anchor, ordinal, reserve; sorted.

    Before: 038.9 with 12 notes to write, reserve 0.2. After: ordinals 0 to 11, and as a reserve 12
    to 14. A share of a request is a whole one; an anchor without notes has no reserve.
    """
    # Rounded first: 0.1 * 30 is a little more than 3 and must not give 4.
    rows = [
        (anchor, ordinal, ordinal >= notes)
        for anchor, notes in anchors.select("code", "n_synthetic").sort("code").iter_rows()
        for ordinal in range(notes + math.ceil(round(reserve * notes, 9)))
    ]
    schema = {"anchor": pl.String, "ordinal": pl.Int64, "reserve": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _taken_over(
    requests: pl.DataFrame, pools: dict[str, Pool], seed: int
) -> Iterator[tuple[str, int, str, str | None, str | None, str]]:
    """Yield anchor, ordinal, strategy, source note, replaced sibling and reason."""
    for anchor, wanted in requests.group_by("anchor", maintain_order=True).len().iter_rows():
        if anchor not in pools:
            reason = "no trained code at any level of the taxonomy"
            yield from ((anchor, ordinal, "alone", None, None, reason) for ordinal in range(wanted))
            continue
        pool = pools[anchor]
        drawn = draw(pool, wanted, anchor_random(seed, anchor))
        for ordinal, (note, sibling) in enumerate(drawn):
            reason = (
                f"stands in for its sibling {sibling}" if sibling else "the set of a train note"
            )
            yield anchor, ordinal, pool.strategy, note, sibling, reason


def take_over(
    inside: pl.DataFrame,
    anchors: pl.DataFrame,
    requests: pl.DataFrame,
    taxonomy: pl.DataFrame,
    seed: int,
) -> pl.DataFrame:
    """Return the requests with the code sets of train notes: strategy ``paper``.

    The column strategy says where a set comes from: clone, sibling_parent, sibling_category,
    sibling_block, sibling_chapter, or alone (no trained code at any level).

    Args:
        inside: note_id, version, code, kind; train split, inside the label space.
        anchors: version, code, kind.
        requests: see :func:`wanted_requests`.
        taxonomy: a table `terminology/codes`.
        seed: of the draws.
    """
    pools = clone_pools(inside, anchors)
    unseen = anchors.filter(~pl.col("code").is_in(list(pools)))
    pools |= sibling_pools(inside, unseen, taxonomy)
    schema = dict.fromkeys(("strategy", "source_note_id", "replaced", "reason"), pl.String)
    schema = {"anchor": pl.String, "ordinal": pl.Int64, **schema}
    drawn = pl.DataFrame(_taken_over(requests, pools, seed), schema=schema, orient="row")
    cloned = inside.group_by("note_id").agg("code")
    everything = pl.concat_list(pl.col("code").fill_null(pl.lit([], pl.List(pl.String))), "anchor")
    codes = everything.list.set_difference(pl.concat_list("replaced")).list.sort()
    return (
        requests.join(drawn, on=["anchor", "ordinal"], how="left", maintain_order="left")
        .join(
            cloned, left_on="source_note_id", right_on="note_id", how="left", maintain_order="left"
        )
        .with_columns(codes=codes)
    )


def draw_sets(
    inside: pl.DataFrame,
    requests: pl.DataFrame,
    tiers: pl.DataFrame,
    taxonomy: pl.DataFrame,
    mined: dict[str, pl.DataFrame],
    head_load: float,
    max_companions: int | None,
    seed: int,
) -> pl.DataFrame:
    """Return the requests with code sets drawn code by code: strategy ``sample``.

    Requests that no new set could be found for are left out and counted in a printed line.

    Args:
        inside: note_id, version, code, kind; train split, inside the label space.
        requests: see :func:`wanted_requests`.
        tiers: a table `plan/tiers`.
        taxonomy: a table `terminology/codes`.
        mined: the tables `plan/cooccurrence`, `plan/group_cooccurrence` and `plan/conflicts`.
        head_load: share of the head-tier companions that stay.
        max_companions: of a set; None: as many as real sets have.
        seed: of the draws.
    """
    space = dict(tiers.sort("code").select("code", "tier").iter_rows())
    pairs, groups = mined["cooccurrence"], mined["group_cooccurrence"]
    model = Companions(tiers, taxonomy, inside["note_id"].n_unique(), pairs, groups)
    conflicts = conflict_matrix(mined["conflicts"], list(space))
    sizes = Sizes(inside, model)
    sampler = Sampler(model, sizes, space, conflicts, head_load, max_companions, seed)
    sampler.sharpness = fit_sharpness(inside, model, sampler, seed)
    print(f"drawn sets are as close as real ones at a sharpness of {sampler.sharpness}")
    # Reserves choose last: what is written first does not depend on them.
    order = requests.sort("reserve", "anchor", "ordinal").select("anchor", "ordinal")
    sets = sampler.draw(order.rows())
    rows = [(*request, list(drawn.codes), drawn.reason) for request, drawn in sets.items() if drawn]
    if left_out := len(sets) - len(rows):
        print(f"warning: {left_out} requests are left out: there is no new set for their anchors")
    schema = {
        "anchor": pl.String,
        "ordinal": pl.Int64,
        "codes": pl.List(pl.String),
        "reason": pl.String,
    }
    return requests.join(
        pl.DataFrame(rows, schema=schema, orient="row"),
        on=["anchor", "ordinal"],
        maintain_order="left",
    ).with_columns(strategy=pl.lit("sample"), source_note_id=pl.lit(None, pl.String))


def build_code_sets(
    labels: pl.DataFrame,
    tiers: pl.DataFrame,
    taxonomy: pl.DataFrame,
    allocation: pl.DataFrame,
    *,
    strategy: str,
    seed: int,
    reserve: float = 0.0,
    head_load: float = 1.0,
    max_companions: int | None = None,
    **mined: pl.DataFrame,
) -> pl.DataFrame:
    """Return a table `plan/code_sets`: the allocated number of requests per anchor.

    Before: anchor 038.9 with 2 notes to write, train notes {038.9, 401.9}, {038.9, 584.9, 486}.
    After, strategy ``paper``: two requests, one with the codes of each note. Rows are sorted by
    anchor and then in the order drawn; codes are sorted and inside the label space.

    Args:
        labels: a table `corpus/labels`, train split; its row order does not matter.
        tiers: a table `plan/tiers`, the label space.
        taxonomy: a table `terminology/codes`.
        allocation: a table `plan/allocation`.
        strategy: ``paper``, ``sample`` or ``anchor``.
        seed: of the draws.
        reserve: requests beyond the allocated, as a share of them.
        head_load: ``sample``: share of the head-tier companions that stay.
        max_companions: ``sample``: of a set; None: as many as real sets have.
        mined: ``sample``: the tables cooccurrence, group_cooccurrence and conflicts of the plan.
    """
    inside = labels.join(tiers, on=["version", "code"], how="semi").select(
        "note_id", "version", "code", "kind"
    )
    anchors = allocation.join(
        tiers.select("version", "code", "kind"), on="code", maintain_order="left"
    )
    requests = wanted_requests(anchors, reserve)
    if strategy == "paper":
        sets = take_over(inside, anchors, requests, taxonomy, seed)
    elif strategy == "sample":
        sets = draw_sets(inside, requests, tiers, taxonomy, mined, head_load, max_companions, seed)
    else:
        sets = requests.with_columns(
            codes=pl.concat_list("anchor"),
            strategy=pl.lit("anchor"),
            source_note_id=pl.lit(None, pl.String),
            reason=pl.lit("the anchor alone"),
        )
    return sets.with_columns(request_ids(sets)).select(COLUMNS)


def summary(code_sets: pl.DataFrame) -> str:
    """Return one line for the log: requests by strategy, and how many are reserves."""
    counts = code_sets["strategy"].value_counts().sort("strategy").iter_rows()
    parts = ", ".join(f"{strategy} {count}" for strategy, count in counts)
    reserves = code_sets["reserve"].sum()
    return f"{len(code_sets)} code sets: {parts}" + (f"; {reserves} in reserve" if reserves else "")
