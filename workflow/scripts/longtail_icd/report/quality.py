"""Figure and tables: what the synthetic notes are like beside real ones."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from longtail_icd.report.glossary import ALL_CODES, QUALITY, TIERS
from longtail_icd.report.numbers import count, is_missing, plain, points
from longtail_icd.report.style import GRID, legend_above, look, say_empty, svg_figure
from longtail_icd.report.tables import PageTable, tier_name

SIDES = ("real", "synthetic")
_SPREAD = 0.5  # how much of a measure's place on the axis its dots take up


def _row(quality: pl.DataFrame, measure: str, who: str, tier: str, part: str | None) -> dict:
    """Return the row of a figure, or one without values."""
    found = quality.filter(
        pl.col("part").eq_missing(pl.lit(part)), measure=measure, who=who, tier=tier
    )
    return found.row(0, named=True) if found.height else dict.fromkeys(quality.columns)


def _with_interval(row: dict, share: bool) -> str:
    value = plain(row["value"], share)
    if is_missing(row["ci_low"]):
        return value
    return f"{value} [{plain(row['ci_low'], share)}, {plain(row['ci_high'], share)}]"


def quality_table(recipe: str, quality: pl.DataFrame) -> PageTable:
    """Every measure of whole samples, real beside synthetic.

    Args:
        recipe: its name.
        quality: its table ``generation/quality``.
    """
    rows = []
    for measure, (name, _, share) in QUALITY.items():
        sides = [_row(quality, measure, who, ALL_CODES, None) for who in SIDES]
        figures = [_with_interval(side, share) for side in sides]
        rows.append([name + (", in points" if share else ""), *figures, count(sides[1]["n"])])
    return PageTable(
        f"Recipe {recipe}: a sample of its notes beside train notes, with 95% intervals",
        ["measure", *SIDES, "n, synthetic"],
        rows,
    )


def section_table(recipe: str, quality: pl.DataFrame) -> PageTable:
    """How many notes have each frequent section heading; see :func:`quality_table`."""
    headings = quality.filter(measure="section")["part"].unique(maintain_order=True)
    return PageTable(
        f"Recipe {recipe}: notes with each section heading that many train notes have, in points",
        ["heading", *SIDES],
        [
            [
                heading,
                *(
                    _with_interval(_row(quality, "section", who, ALL_CODES, heading), share=True)
                    for who in SIDES
                ),
            ]
            for heading in headings
        ],
    )


def evidence_table(recipe: str, quality: pl.DataFrame) -> PageTable:
    """How many codes the notes name or support, by the codes' tier; see :func:`quality_table`."""
    columns = [
        ("codes_worded", "real", None),
        ("codes_worded", "synthetic", None),
        ("codes_supported", "synthetic", "anchor"),
        ("codes_supported", "synthetic", "companion"),
    ]
    return PageTable(
        f"Recipe {recipe}: codes with evidence in their notes, by the codes' tier, in points",
        [
            "codes",
            "named, real",
            "named, synthetic",
            "supported, anchors",
            "supported, companions",
        ],
        [
            [
                tier_name(tier),
                *(
                    points(_row(quality, measure, who, tier, part)["value"])
                    for measure, who, part in columns
                ),
            ]
            for tier in (ALL_CODES, *TIERS)
        ],
    )


def ratios(quality: pl.DataFrame) -> dict[str, float]:
    """Return synthetic over real of each measure for which both are above 0, by its name."""
    found = {}
    for measure, (name, _, _) in QUALITY.items():
        real, synthetic = (
            _row(quality, measure, who, ALL_CODES, None)["value"] or 0 for who in SIDES
        )
        if real > 0 and synthetic > 0:
            found[name] = synthetic / real
    return found


def plot_quality(qualities: Mapping[str, pl.DataFrame], path: str | Path) -> None:
    """Draw each measure of the synthetic notes over that of real ones, a dot per recipe.

    Args:
        qualities: tables ``generation/quality`` by recipe.
        path: the SVG file to write.
    """
    names = [name for name, *_ in QUALITY.values()]
    with svg_figure(path, height=5.0) as figure:
        axes = figure.subplots()
        handles = []
        for index, quality in enumerate(qualities.values()):
            found = ratios(quality)
            offset = _SPREAD * ((index + 0.5) / len(qualities) - 0.5)
            rows = [names.index(name) + offset for name in found]
            handles += axes.plot(list(found.values()), rows, linestyle="none", **look(index))
        axes.axvline(1, color=GRID, linewidth=1)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("synthetic over real (1: alike)")
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        if handles:
            legend_above(figure, handles, list(qualities))
        else:
            say_empty(axes, "no recipe with notes")
