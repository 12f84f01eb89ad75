"""Figure: pooled F1 by frequency tier, one panel per model, one series per train set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from longtail_icd.report.glossary import POOLED_F1, TIERS, model_name, tier_rules
from longtail_icd.report.style import INK, hatch, legend_above, look, say_empty, svg_figure

_SPREAD = 0.8  # how much of a tier's place on the axis its series take up


def f1_by_tier(metrics: pl.DataFrame) -> pl.DataFrame:
    """Return the mean over seeds of pooled F1 and of its interval, per model, train set and tier.

    Args:
        metrics: table ``evaluation/metrics``.

    Returns:
        model, train_set, tier, mean, low, high, values (of each seed), support; values in points.
    """
    return (
        metrics.filter(
            (pl.col("split") == "test")
            & (pl.col("metric") == POOLED_F1)
            & pl.col("tier").is_in(list(TIERS))
            & pl.col("value").is_finite()
        )
        .sort("seed")
        .group_by("model", "train_set", "tier", maintain_order=True)
        .agg(
            (pl.col("value").mean() * 100).alias("mean"),
            (pl.col("ci_low").mean() * 100).alias("low"),
            (pl.col("ci_high").mean() * 100).alias("high"),
            (pl.col("value") * 100).alias("values"),
            pl.col("support").first(),
        )
    )


def _draw_series(axes: Axes, rows: pl.DataFrame, offset: float, width: float, index: int) -> Any:
    places = list(TIERS)
    x = [places.index(tier) + offset for tier in rows["tier"]]
    colour = look(index)["color"]
    bars = axes.bar(x, rows["mean"], 0.9 * width, color=colour, alpha=0.75, hatch=hatch(index))
    for at, values in zip(x, rows["values"], strict=True):
        if len(values) > 1:
            axes.plot([at + 0.25 * width] * len(values), values, ".", color=INK, markersize=3)
    known = rows.with_columns(x=pl.Series(x)).filter(
        pl.col("low").is_finite(), pl.col("high").is_finite()
    )
    if known.height:
        axes.vlines(known["x"], known["low"], known["high"], color=INK, linewidth=1.2)
    return bars


def plot_f1_by_tier(
    metrics: pl.DataFrame, train_sets: Sequence[str], edges: dict[str, int], path: str | Path
) -> None:
    """Draw test-split pooled F1 with its interval by tier; small dots are single seeds.

    Args:
        metrics: table ``evaluation/metrics``.
        train_sets: in the order in which they are drawn.
        edges: ``tiers`` of the config.
        path: the SVG file to write.
    """
    rows = f1_by_tier(metrics)
    models = sorted(set(metrics["model"]))
    rules = tier_rules(edges)
    with svg_figure(path, height=0.9 + 2.2 * max(len(models), 1)) as figure:
        panels = figure.subplots(max(len(models), 1), sharex=True, sharey=True, squeeze=False)
        handles: dict[str, Any] = {}
        for axes, model in zip(panels[:, 0], models, strict=False):
            axes.set_title(model_name(model))
            axes.set_ylabel("pooled F1 (points)")
            axes.grid(axis="x", visible=False)
            for index, train_set in enumerate(train_sets):
                series = rows.filter(
                    (pl.col("model") == model) & (pl.col("train_set") == train_set)
                )
                width = _SPREAD / len(train_sets)
                offset = width * (index + 0.5) - _SPREAD / 2
                if series.height:
                    handles[train_set] = _draw_series(axes, series, offset, width, index)
        last = panels[-1, 0]
        last.set_xticks(
            range(len(TIERS)), [f"{name}\n{rules[tier]}" for tier, name in TIERS.items()]
        )
        last.set_xlim(-0.5, len(TIERS) - 0.5)
        last.set_ylim(bottom=0)
        last.set_xlabel("tier, by notes per code in train (n)")
        if handles:
            legend_above(figure, list(handles.values()), list(handles))
        else:
            say_empty(last, "no scores by tier")
