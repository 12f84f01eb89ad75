"""What the notes cost and what a gain costs: tokens, dollars, hours of training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.common.files import read_json
from longtail_icd.generation.cost.prices import MILLION, Price
from longtail_icd.report.answer import difference, pooled, rows_of
from longtail_icd.report.glossary import PRIMARY_TIER, model_name
from longtail_icd.report.jobs import read_benchmark
from longtail_icd.report.numbers import MISSING, count, signed_points
from longtail_icd.report.tables import PageTable


def read_trainings(
    benchmarks: Sequence[str], models: Sequence[str], runs: Sequence[str]
) -> pl.DataFrame:
    """Read how long each training took, and on what.

    Args:
        benchmarks: benchmark files, in the order of ``runs``.
        models: model folders, in the same order.
        runs: ``model/train_set/seedN``.

    Returns:
        model, train_set, seed (``seedN``), hours, device (``cpu`` or a GPU's name), devices.
    """
    rows = []
    for run, benchmark, folder in zip(runs, benchmarks, models, strict=True):
        coder = read_json(Path(folder) / "coder.json")
        hours = read_benchmark(benchmark)["s"] / 3600
        rows.append((*run.split("/"), hours, coder["device"], coder["settings"]["devices"]))
    columns = ["model", "train_set", "seed", "hours", "device", "devices"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def hours_of(trainings: pl.DataFrame, model: str, train_set: str) -> tuple[float, float | None]:
    """Return the mean hours of a training over its seeds, and its GPU-hours; None without a GPU."""
    own = trainings.filter(model=model, train_set=train_set)
    on_gpu = (own["device"] != "cpu").all()
    gpu_hours = (own["hours"] * own["devices"]).mean() if on_gpu else None
    return own["hours"].mean(), gpu_hours


def tokens_of(notes: pl.DataFrame) -> int:
    """Return how many tokens the writer answered with for these notes, rejected ones included."""
    return notes["completion_tokens"].sum()


def cost_table(recipes: Mapping[str, pl.DataFrame], prices: Mapping[str, Price]) -> PageTable:
    """Tokens of each recipe's notes by model, and their price where the model has one.

    Args:
        recipes: ``generation/notes`` by recipe; model and the two counts of tokens suffice.
        prices: by model.
    """
    rows = []
    for recipe, notes in recipes.items():
        sums = notes.group_by("model").agg(
            pl.len(), pl.col("prompt_tokens", "completion_tokens").sum()
        )
        for model, size, asked, answered in sums.sort("model").iter_rows():
            price = prices.get(model)
            paid = MISSING if price is None else f"{price.usd(asked, answered):,.2f}"
            rows.append([recipe, model, count(size), count(asked), count(answered), paid])
    return PageTable(
        "What the notes took, rejected ones included",
        ["recipe", "model", "notes", "tokens of prompts", "tokens of notes", "US dollars"],
        rows,
    )


def _per(delta: float | None, amount: float | None) -> str:
    return signed_points(delta / amount) if delta is not None and amount else MISSING


def efficiency_table(
    comparisons: pl.DataFrame,
    pairs: Sequence[dict[str, str]],
    model: str,
    trainings: pl.DataFrame,
    tokens: Mapping[str, int],
) -> PageTable:
    """Say what each comparison's gain cost: points per training hour and per million tokens.

    Args:
        comparisons: table ``evaluation/comparisons``.
        pairs: the train sets' names under ``baseline`` and ``against``.
        model: a key of the config's ``models``.
        trainings: see :func:`read_trainings`.
        tokens: by train set, the tokens that its recipes' notes were written with.
    """
    rows = []
    for pair in pairs:
        row = pooled(rows_of(comparisons, pair, model), PRIMARY_TIER)
        before, _ = hours_of(trainings, model, pair["baseline"])
        after, gpu_hours = hours_of(trainings, model, pair["against"])
        more = tokens[pair["against"]] - tokens[pair["baseline"]]
        rows.append(
            [
                f"{pair['against']} − {pair['baseline']}",
                difference(row),
                f"{before:.2f}",
                f"{after:.2f}",
                _per(row["delta"], after),
                _per(row["delta"], gpu_hours),
                _per(row["delta"], more / MILLION if more > 0 else None),
            ]
        )
    return PageTable(
        f"{model_name(model)}: what a gain in pooled F1 over few-shot codes took, in points",
        [
            "comparison",
            "difference",
            "hours before",
            "hours after",
            "per hour",
            "per GPU-hour",
            "per million tokens",
        ],
        rows,
    )


def tokens_by_train_set(
    train_sets: Mapping[str, Any], recipes: Mapping[str, pl.DataFrame]
) -> dict[str, int]:
    """Return how many tokens the notes of each train set's recipes were written with."""
    return {
        name: sum(tokens_of(recipes[recipe]) for recipe in one["recipes"])
        for name, one in train_sets.items()
    }
