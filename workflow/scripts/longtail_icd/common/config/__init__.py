"""The configuration: checked against its schema and for what a schema cannot say."""

from pathlib import Path
from typing import Any

from longtail_icd.common.config.corpus import check_paths, check_split, check_terminology
from longtail_icd.common.config.recipes import check_coders, check_prompts, check_writers
from longtail_icd.common.config.schema import check_schema
from longtail_icd.common.config.training import (
    TRAIN_SET_DEFAULTS,
    check_encoder,
    check_models,
    check_train_sets,
    pretraining_texts,
)
from longtail_icd.common.errors import UserError

__all__ = [
    "PACKAGE",
    "TRAIN_SET_DEFAULTS",
    "check_config",
    "drop_unset",
    "fetched_encoder",
    "fill_train_sets",
    "pretraining_texts",
    "runs_of",
]

PACKAGE = "pypi:"  # an encoder.archive.url that starts so names a Python package
NAMED = ("models", "recipes", "train_sets", "writers")


def _check_names(config: dict[str, Any]) -> None:
    """Every name that a block refers to must be defined, and a path that is given must exist."""
    for train_set, one in config["train_sets"].items():
        for recipe in one["recipes"]:
            if recipe not in config["recipes"]:
                raise UserError(
                    f"configuration: train_sets.{train_set}.recipes: no recipe named {recipe}; "
                    f"recipes: {', '.join(config['recipes'])}"
                )
    for name, recipe in config["recipes"].items():
        if recipe["writer"] not in config["writers"]:
            raise UserError(
                f"configuration: recipes.{name}.writer: no writer named {recipe['writer']}; "
                f"writers: {', '.join(config['writers'])}"
            )
    for index, pair in enumerate(config["comparisons"]):
        for side in ("baseline", "against"):
            if pair[side] not in config["train_sets"]:
                raise UserError(
                    f"configuration: comparisons.{index}.{side}: no train set named {pair[side]}; "
                    f"train_sets: {', '.join(config['train_sets'])}"
                )
    tiers = config["tiers"]
    if not tiers["head"] > tiers["medium"] > tiers["tail"] > 1:
        raise UserError("configuration: tiers: head > medium > tail > 1 must hold")


def check_config(config: dict[str, Any], schema_path: Path) -> None:
    """Check ``config`` against the schema and its names and paths against each other.

    Raises:
        UserError: names the key, what is wrong with it and what would be right.
    """
    check_schema(config, schema_path)
    _check_names(config)
    check_writers(config)
    check_train_sets(config)
    check_prompts(config)
    check_coders(config)
    check_models(config)
    check_paths(config)
    check_encoder(config)
    check_terminology(config)
    check_split(config)


def drop_unset(config: dict[str, Any]) -> None:
    """Remove the models, recipes, train sets and writers that an overlay has set to null.

    Before: ``models: {plm_icd: null, gki_icd: {…}}``. After: ``models: {gki_icd: {…}}``.
    """
    for block in NAMED:
        if isinstance(config.get(block), dict):
            config[block] = {name: one for name, one in config[block].items() if one is not None}


def fill_train_sets(config: dict[str, Any]) -> None:
    """Give each train set the options that its block leaves out."""
    for name, options in config["train_sets"].items():
        config["train_sets"][name] = TRAIN_SET_DEFAULTS | options


def fetched_encoder(url: str | None) -> str:
    """Return the folder of an encoder that comes as an archive, named after it."""
    if url is None:
        return "resources/encoders/none"
    if url.startswith(PACKAGE):
        name = url.removeprefix(PACKAGE).partition("==")[0]
    else:
        name = url.rstrip("/").rpartition("/")[2].partition(".")[0]
    return f"resources/encoders/{name}"


def runs_of(config: dict[str, Any]) -> list[str]:
    """Return every training run as ``model/train_set/seedN``, in a fixed order."""
    return [
        f"{model}/{train_set}/seed{seed}"
        for model in sorted(config["models"])
        for train_set in config["train_sets"]
        for seed in config["seeds"]
    ]
