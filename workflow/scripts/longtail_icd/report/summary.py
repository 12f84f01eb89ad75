"""What ran, on what: the page's first lines."""

from typing import Any

import polars as pl

from longtail_icd.report.glossary import TIERS, model_name
from longtail_icd.report.numbers import count
from longtail_icd.report.sources import Recipe, Sources


def is_simulated(settings: dict[str, Any]) -> bool:
    """Return whether the corpus came from the simulator: the configuration names no folder."""
    return settings["corpus"]["path"] is None


def _corpus(sources: Sources, settings: dict[str, Any]) -> str:
    documents = sum(notes.height for notes in sources.notes.values())
    kind = "a simulated hospital" if is_simulated(settings) else settings["corpus"]["adapter"]
    return (
        f"{settings['corpus']['name']}, {kind}: {count(documents)} documents, "
        f"{count(sources.notes['test'].height)} of them in the test split"
    )


def _label_space(tiers: pl.DataFrame) -> str:
    sizes = dict(tiers["tier"].value_counts().iter_rows())
    parts = [f"{count(sizes.get(tier, 0))} {TIERS[tier]}" for tier in ("few_shot", "zero_shot")]
    return f"{count(tiers.height)} codes, {' and '.join(parts)}"


def writer_of(name: str, recipe: Recipe, settings: dict[str, Any]) -> str:
    """Say who wrote a recipe's notes. After: ``offline, the built-in writer``."""
    writer = settings["recipes"][name]["writer"]
    if settings["writers"][writer]["backend"] == "offline":
        return f"{writer}, the built-in writer: deterministic prose, no language model"
    return f"{writer}, model {', '.join(sorted(recipe.manifest['models']))}"


def _notes(name: str, recipe: Recipe, settings: dict[str, Any]) -> str:
    kept = recipe.notes.filter(status="ok").height
    return (
        f"recipe {name}: {count(kept)} kept of {count(recipe.notes.height)} written by "
        f"{writer_of(name, recipe, settings)}"
    )


def _training(trainings: pl.DataFrame) -> str:
    devices = ", ".join(trainings["device"].unique().sort())
    hours = trainings["hours"].sum()
    return f"{count(trainings.height)} runs, {hours:.2f} hours in all on {devices}"


def facts(sources: Sources, settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what ran as pairs of a term and its words."""
    recipes = sources.recipes.items()
    notes = [_notes(name, recipe, settings) for name, recipe in recipes]
    seeds = len(settings["seeds"])
    return [
        ("corpus", _corpus(sources, settings)),
        ("label space", _label_space(sources.tiers)),
        ("synthetic notes", "; ".join(notes) or "none"),
        (
            "models",
            f"{', '.join(map(model_name, sorted(settings['models'])))}; "
            f"train sets {', '.join(settings['train_sets'])}; "
            f"{seeds} {'seed' if seeds == 1 else 'seeds'}",
        ),
        ("training", _training(sources.trainings)),
    ]
