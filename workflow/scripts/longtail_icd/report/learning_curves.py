"""Figure: training loss and dev MAP over the epochs, one line per run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.report.glossary import model_name
from longtail_icd.report.style import legend_above, look, say_empty, svg_figure

# The history's metrics that the figure shows, with the axis' name.
PANELS = {"loss": "training loss", "eval_map": "dev MAP"}


def per_epoch(history: pl.DataFrame, metric: str) -> pl.DataFrame:
    """Return the mean of ``metric`` within each epoch.

    Before: losses at epochs 0.5, 1.0 and 1.5. After: epochs 1 (mean of two) and 2.
    """
    # A hair less, so that the end of an epoch never counts as the next one's start.
    epoch = (pl.col("epoch") - 1e-6).ceil()
    return (
        history.filter(pl.col("metric") == metric)
        .group_by(epoch)
        .agg(pl.col("value").mean())
        .sort("epoch")
    )


def plot_learning_curves(
    histories: dict[str, pl.DataFrame], train_sets: Sequence[str], path: str | Path
) -> None:
    """Draw one row per model: loss on the left, dev MAP on the right.

    Args:
        histories: table ``training/history`` of each run, by ``model/train_set/seedN``.
        train_sets: in the order of their colours; the seeds of a train set share one.
        path: the SVG file to write.
    """
    models = sorted({run.split("/")[0] for run in histories})
    with svg_figure(path, height=0.8 + 2.0 * max(len(models), 1)) as figure:
        panels = figure.subplots(
            max(len(models), 1), len(PANELS), sharex=True, sharey="col", squeeze=False
        )
        handles: dict[str, Any] = {}
        for run, history in histories.items():
            model, train_set, _ = run.split("/")
            for axes, metric in zip(panels[models.index(model)], PANELS, strict=True):
                points = per_epoch(history, metric)
                if points.height:
                    handles[train_set] = axes.plot(
                        points["epoch"].to_list(),
                        points["value"].to_list(),
                        linewidth=1.2,
                        markersize=3.5,
                        **look(train_sets.index(train_set)),
                    )[0]
        for row, model in zip(panels, models, strict=False):
            for axes, name in zip(row, PANELS.values(), strict=True):
                axes.set_title(model_name(model))
                axes.set_ylabel(name)
        for axes in panels[-1]:
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        if handles:
            legend_above(figure, list(handles.values()), list(handles))
        else:
            say_empty(panels[0, 0], "no history")
