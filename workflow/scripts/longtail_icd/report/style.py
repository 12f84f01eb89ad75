"""The look of every figure, and SVG files that are the same byte for byte on every run."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from longtail_icd.common.files import write_text

# Okabe and Ito's palette without black and yellow: told apart by colour-blind readers, and visible
# on white as on black. Markers repeat the distinction for print without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")

# Stands for the page's own text colour, so that a figure follows light and dark mode.
INK = "#010203"
GRID = "#808080"
WIDTH = 4.8  # inches: narrow enough for a phone without sideways scrolling

_STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    **dict.fromkeys(
        ["text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"], INK
    ),
}


def look(index: int) -> dict[str, Any]:
    """Return colour and marker of the ``index``-th series; after six they repeat, hollow."""
    hollow = {"fillstyle": "none"} if index >= len(COLOURS) else {}
    number = index % len(COLOURS)
    return {"color": COLOURS[number], "marker": MARKERS[number], **hollow}


def hatch(index: int) -> str | None:
    """Return the hatching of the ``index``-th series of bars: none for six, lines after them."""
    return "////" if index >= len(COLOURS) else None


def legend_above(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Put one legend for all panels above them."""
    figure.legend(handles, labels, loc="outside upper left", ncols=min(len(labels), 3))


def say_empty(axes: Axes, message: str) -> None:
    """Write in a panel why it shows nothing."""
    axes.text(0.5, 0.5, message, ha="center", va="center", transform=axes.transAxes)


def _tidy(svg: str, name: str) -> str:
    """Prefix every id with the figure's name, so that one page can hold several figures."""
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = svg.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return svg.replace(INK, "currentColor")


@contextmanager
def svg_figure(path: str | Path, height: float) -> Iterator[Figure]:
    """Yield an empty figure in the house style and write it to ``path`` as SVG when done.

    The bytes depend on the data alone: ids come from a fixed salt, and no date is written.

    Args:
        path: the file; its stem prefixes the ids in the SVG.
        height: in inches; the width is :data:`WIDTH`.
    """
    name = Path(path).stem.replace("_", "-")
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure
        buffer = io.StringIO()
        no_metadata = dict.fromkeys(["Date", "Creator", "Format", "Type"])
        figure.savefig(buffer, format="svg", transparent=True, metadata=no_metadata)
    write_text(_tidy(buffer.getvalue(), name), path)
