"""Figure and table: what the plans add to each tier, and how much of it through companions."""

from pathlib import Path

import polars as pl
from matplotlib.ticker import FuncFormatter

from longtail_icd.report.code_frequencies import frequencies, frequencies_by_tier
from longtail_icd.report.glossary import ALL_CODES, TIERS, tier_rules
from longtail_icd.report.numbers import MISSING, count
from longtail_icd.report.style import legend_above, look, svg_figure
from longtail_icd.report.tables import PageTable, tier_name

_SPREAD = 0.6  # how much of a tier's place on the axis its recipes take up


def planned_mentions(code_sets: pl.DataFrame) -> pl.DataFrame:
    """Count how often each code stands in a planned note; reserves are not planned notes.

    Args:
        code_sets: table ``plan/code_sets``; anchor, codes and reserve suffice.

    Returns:
        code, anchor (mentions as anchor), companion (all others).
    """
    as_anchor = pl.col("codes") == pl.col("anchor")
    return (
        code_sets.filter(~pl.col("reserve"))
        .select("anchor", "codes")
        .explode("codes", empty_as_null=False)
        .group_by(code="codes")
        .agg(
            as_anchor.sum().cast(pl.Int64).alias("anchor"),
            (~as_anchor).sum().cast(pl.Int64).alias("companion"),
        )
        .sort("code")
    )


def planned_by_tier(tiers: pl.DataFrame, mentions: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the sums of each recipe by tier, most frequent tier first.

    Args:
        tiers: table ``plan/tiers``.
        mentions: :func:`planned_mentions` of each recipe.

    Returns:
        recipe, tier, codes, real (mentions in train), anchor, companion.
    """
    parts = [
        frequencies_by_tier(frequencies(tiers, counts)).select(pl.lit(recipe).alias("recipe"), "*")
        for recipe, counts in mentions.items()
    ]
    return pl.concat(parts)


def allocation_table(tiers: pl.DataFrame, mentions: dict[str, pl.DataFrame]) -> PageTable | None:
    """Mentions of each tier's codes before and after each recipe's plan; None without recipes."""
    if not mentions:
        return None
    sums = planned_by_tier(tiers, mentions)
    total = sums.group_by("recipe", maintain_order=True).agg(
        pl.lit(ALL_CODES).alias("tier"), pl.exclude("recipe", "tier").sum()
    )
    rows = []
    for (tier,), one in pl.concat([sums, total]).group_by("tier", maintain_order=True):
        cells = [tier_name(tier), count(one["codes"][0]), count(one["real"][0])]
        for _, real, anchor, companion in one.select(
            "recipe", "real", "anchor", "companion"
        ).iter_rows():
            grown = f"{(real + anchor + companion) / real:.2f}" if real else MISSING
            cells += [count(anchor), count(companion), grown]
        rows.append(cells)
    added = [
        f"{recipe}: {what}"
        for recipe in mentions
        for what in ("as anchor", "as companion", "after ÷ before")
    ]
    return PageTable(
        "The plan by tier: how often its codes label a note of train, and of the notes to write",
        ["tier", "codes", "in train", *added],
        rows,
    )


def plot_allocation(
    tiers: pl.DataFrame,
    mentions: dict[str, pl.DataFrame],
    edges: dict[str, int],
    path: str | Path,
) -> None:
    """Draw each tier's mentions before and after the plans, and what companions add.

    Args:
        tiers: table ``plan/tiers``, not empty.
        mentions: :func:`planned_mentions` of each recipe.
        edges: ``tiers`` of the config.
        path: the SVG file to write.
    """
    known = tiers.group_by("tier").agg(pl.col("n_train").sum())
    real = [dict(known.iter_rows()).get(tier, 0) for tier in TIERS]
    places = range(len(TIERS))
    plain = FuncFormatter(lambda value, _: f"{value:,.0f}")
    rules = tier_rules(edges)
    with svg_figure(path, height=5.0) as figure:
        after, companions = figure.subplots(2, sharex=True)
        handles = after.plot(places, real, linestyle="none", clip_on=False, **look(0))
        width = _SPREAD / max(len(mentions), 1)
        for index, (recipe, counts) in enumerate(mentions.items(), start=1):
            sums = planned_by_tier(tiers, {recipe: counts})
            x = [place + width * (index - (len(mentions) + 1) / 2) for place in places]
            whole = sums["real"] + sums["anchor"] + sums["companion"]
            handles += after.plot(x, whole, linestyle="none", clip_on=False, **look(index))
            companions.bar(x, sums["companion"], 0.9 * width, color=look(index)["color"])
        # Linear below 1, so that a tier without any mention stays in the picture.
        after.set_yscale("symlog", linthresh=1, linscale=0.4)
        after.set_ylim(bottom=0)
        after.set_ylabel("mentions")
        after.set_title("Before and after")
        companions.set_ylabel("mentions added")
        companions.set_title("Added as companions")
        companions.set_xticks(places, [f"{name}\n{rules[tier]}" for tier, name in TIERS.items()])
        companions.set_xlabel("tier, by notes per code in train (n)")
        for axes in (after, companions):
            axes.yaxis.set_major_formatter(plain)
            axes.grid(axis="x", visible=False)
        legend_above(figure, handles, ["real train notes", *(f"with {one}" for one in mentions)])
