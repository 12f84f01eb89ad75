"""Figure: notes per code by rank, before and after the synthetic notes."""

from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.ticker import FuncFormatter, NullFormatter

from longtail_icd.report.glossary import TIERS
from longtail_icd.report.style import COLOURS, GRID, legend_above, svg_figure

_DASHES = ("-", "--", "-.", ":")


def synthetic_mentions(notes: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Count how often each code labels a kept synthetic note.

    Args:
        notes: ``generation/notes``; request_id and status suffice.
        labels: ``generation/labels``; request_id, code and role suffice.

    Returns:
        code, anchor (mentions as anchor), companion (all others).
    """
    kept = notes.filter(pl.col("status") == "ok").select("request_id")
    as_anchor = pl.col("role") == "anchor"
    return (
        labels.join(kept, on="request_id", how="semi")
        .group_by("code")
        .agg(
            as_anchor.sum().cast(pl.Int64).alias("anchor"),
            (~as_anchor).sum().cast(pl.Int64).alias("companion"),
        )
        .sort("code")
    )


def frequencies(tiers: pl.DataFrame, mentions: pl.DataFrame) -> pl.DataFrame:
    """Return every code of the label space with real and synthetic mentions.

    Returns:
        code, tier, real, anchor, companion; the last two count 0 where no note was written.
    """
    return (
        tiers.select("code", "tier", pl.col("n_train").alias("real"))
        .join(mentions, on="code", how="left", maintain_order="left")
        .with_columns(pl.col("anchor", "companion").fill_null(0))
    )


def frequencies_by_tier(codes: pl.DataFrame) -> pl.DataFrame:
    """Sum :func:`frequencies` by tier, most frequent tier first.

    Returns:
        tier, codes, real, anchor, companion; a tier without codes has a row of zeros.
    """
    sums = codes.group_by("tier").agg(
        pl.len().cast(pl.Int64).alias("codes"), pl.col("real", "anchor", "companion").sum()
    )
    return (
        pl.DataFrame({"tier": list(TIERS)})
        .join(sums, on="tier", how="left", maintain_order="left")
        .with_columns(pl.exclude("tier").fill_null(0))
    )


def _curve(counts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return rank and count in falling order, with only the two ends of each level stretch."""
    values = counts.sort(descending=True).to_numpy()
    turns = np.flatnonzero(np.diff(values))
    keep = np.unique(np.concatenate([[0], turns, turns + 1, [len(values) - 1]]))
    return keep + 1, values[keep]


def plot_code_frequencies(
    tiers: pl.DataFrame,
    mentions: dict[str, pl.DataFrame],
    edges: dict[str, int],
    path: str | Path,
) -> None:
    """Draw notes per code against rank, both logarithmic, each curve sorted by itself.

    Args:
        tiers: table ``plan/tiers``, not empty.
        mentions: :func:`synthetic_mentions` of each recipe.
        edges: ``tiers`` of the config, drawn as dotted lines.
        path: the SVG file to write.
    """
    curves = {"real train notes": tiers["n_train"]}
    for recipe, counts in mentions.items():
        codes = frequencies(tiers, counts)
        curves[f"with recipe {recipe}"] = codes["real"] + codes["anchor"] + codes["companion"]
    with svg_figure(path, height=3.4) as figure:
        axes = figure.subplots()
        handles = []
        for index, counts in enumerate(curves.values()):
            handles += axes.plot(
                *_curve(counts),
                color=COLOURS[index % len(COLOURS)],
                linestyle=_DASHES[index % len(_DASHES)],
                linewidth=1.8,
            )
        axes.set_xscale("log")
        # Linear below 1, so that codes without any note stay in the picture.
        axes.set_yscale("symlog", linthresh=1, linscale=0.4)
        plain = FuncFormatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_major_formatter(plain)
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(plain)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("rank of the code")
        axes.set_ylabel("notes per code")
        for tier in ("head", "medium", "tail"):
            axes.axhline(edges[tier], color=GRID, linestyle=":", linewidth=1)
            axes.annotate(
                f"{tier} ≥ {edges[tier]:,}",
                (1, edges[tier]),
                xycoords=("axes fraction", "data"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="right",
                fontsize=8,
            )
        legend_above(figure, handles, list(curves))
