"""Figure and tables: how like real code sets the planned ones are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from longtail_icd.report.glossary import ALL_CODES, PLAUSIBILITY, TIERS
from longtail_icd.report.numbers import is_missing, plain
from longtail_icd.report.style import legend_above, look, say_empty, svg_figure
from longtail_icd.report.tables import PageTable, tier_name

# By measure and who, planned or train.
Values = dict[tuple[str, str], float | None]

_SPREAD = 0.5  # how much of a measure's place on the axis its dots take up
# The figure's panels: title, what the axis shows, measures, end of the axis.
_PANELS = (
    ("Told apart from real sets", "AUC (0.5: not at all)", ("auc_codes", "auc_features"), 1),
    ("Size", "codes of a set", ("codes_mean", "head_codes"), None),
    (
        "Pairs and copies",
        "points",
        ("pairs_unseen", "conflict_excludes1", "duplicates", "copies", "nearest_median"),
        100,
    ),
    ("Likeness", "value", ("pairs_npmi", "pair_counts", "chapter_distance"), 1),
)


def values_of(plausibility: pl.DataFrame, tier: str) -> Values:
    """Return the values of a tier by measure and who; see table ``plan/plausibility``."""
    rows = plausibility.filter(tier=tier).select("measure", "who", "value").iter_rows()
    return {(measure, who): value for measure, who, value in rows}


def plausibility_table(recipe: str, plausibility: pl.DataFrame) -> PageTable:
    """Every measure of one recipe's code sets and their counterparts in train, by tier.

    Args:
        recipe: its name.
        plausibility: its table ``plan/plausibility``.
    """
    tiers = [tier for tier in (ALL_CODES, *TIERS) if tier in plausibility["tier"]]
    values = {tier: values_of(plausibility, tier) for tier in tiers}
    names = {ALL_CODES: "all anchors", **{tier: tier_name(tier) for tier in TIERS}}
    return PageTable(
        f"Recipe {recipe}: code sets, planned and in train, by the anchor's tier",
        ["measure", *(f"{names[tier]}: {who}" for tier in tiers for who in ("planned", "train"))],
        [
            [
                name + (", in points" if share else ""),
                *(
                    plain(values[tier].get((measure, who)), share)
                    for tier in tiers
                    for who in ("planned", "train")
                ),
            ]
            for measure, (name, _, share) in PLAUSIBILITY.items()
        ],
    )


def _draw(
    axes: Axes,
    values: Values,
    who: str,
    style: dict[str, Any],
    offset: float,
    measures: Sequence[str],
) -> Any:
    """Draw one series' dots, train's hollow, and return them; what has no value is left out."""
    x, y = [], []
    for row, measure in enumerate(measures):
        value = values.get((measure, who))
        if not is_missing(value):
            x.append(100 * value if PLAUSIBILITY[measure][2] else value)
            y.append(row + offset)
    fill = "none" if who == "train" else style["color"]
    (dots,) = axes.plot(x, y, linestyle="none", markerfacecolor=fill, clip_on=False, **style)
    dots.set_in_layout(False)  # a series without dots has no extent, which no layout can take
    return dots


def plot_plausibility(assessed: Mapping[str, pl.DataFrame], path: str | Path) -> None:
    """Draw the measures over all anchors: a dot per recipe, a hollow one for its train notes.

    Args:
        assessed: tables ``plan/plausibility`` by recipe.
        path: the SVG file to write.
    """
    series = [
        (values_of(table, ALL_CODES), who, look(index))
        for index, table in enumerate(assessed.values())
        for who in ("train", "planned")
    ]
    labels = [name for recipe in assessed for name in (f"train, for {recipe}", recipe)]
    with svg_figure(path, height=8.0) as figure:
        heights = [len(measures) + 1 for _, _, measures, _ in _PANELS]
        panels = figure.subplots(len(_PANELS), height_ratios=heights)
        for axes, (title, unit, measures, end) in zip(panels, _PANELS, strict=True):
            dots = [
                _draw(axes, *one, _SPREAD * ((place + 0.5) / len(series) - 0.5), measures)
                for place, one in enumerate(series)
            ]
            axes.set_title(title)
            axes.set_xlabel(unit)
            axes.set_yticks(range(len(measures)), [PLAUSIBILITY[one][0] for one in measures])
            axes.set_xlim(0, end)
            axes.set_ylim(len(measures) - 0.5, -0.5)
            if not series:
                say_empty(axes, "no recipe with companions")
        legend_above(figure, dots, labels)
