"""Everything the page reads, loaded once; note texts and evidence are never loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import read_json
from longtail_icd.common.tables import read_table, scan_table
from longtail_icd.generation.cost.prices import Price, load_prices
from longtail_icd.report.allocation import planned_mentions
from longtail_icd.report.efficiency import read_trainings
from longtail_icd.report.published_scores import read_published_scores
from longtail_icd.report.tables import SPLITS

FIGURES = (
    "f1_by_tier",
    "f1_by_code",
    "allocation",
    "plausibility",
    "code_frequencies",
    "quality",
    "learning_curves",
)
_CORPUS_KEYS = ("rows", "files", "published")
_RECIPE_KEYS = ("reasons", "models", "data_classes", "missing_anchors")


@dataclass(frozen=True)
class Recipe:
    """What one recipe planned and wrote: tables without texts, its manifest, what it is like."""

    allocation: pl.DataFrame
    notes: pl.DataFrame
    labels: pl.DataFrame
    manifest: dict[str, Any]
    quality: pl.DataFrame


@dataclass(frozen=True)
class Sources:
    """The tables and figures behind the page; notes and labels by split, recipes by name.

    ``planned`` holds the planned mentions of every recipe with a plan, written or not; ``assessed``
    how plausible its code sets are, where it plans companions; ``trainings`` how long each run
    took; ``prices`` what models' tokens cost; ``jobs`` what the rules took.
    """

    metrics: pl.DataFrame
    averages: pl.DataFrame
    ensembles: pl.DataFrame
    comparisons: pl.DataFrame
    codes: pl.DataFrame
    jobs: pl.DataFrame
    trainings: pl.DataFrame
    tiers: pl.DataFrame
    synonyms: pl.DataFrame
    notes: dict[str, pl.DataFrame]
    labels: dict[str, pl.DataFrame]
    manifest: dict[str, Any]
    recipes: dict[str, Recipe]
    planned: dict[str, pl.DataFrame]
    assessed: dict[str, pl.DataFrame]
    published_scores: pl.DataFrame
    prices: dict[str, Price]
    figures: dict[str, str]


def read_synthetic(notes: str | Path, labels: str | Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read ``generation/notes`` and ``generation/labels`` without text and evidence.

    Raises:
        UserError: a file is missing or does not fit its schema.
    """
    return (
        scan_table(notes, "generation/notes").drop("text", "reasons", "attempts").collect(),
        scan_table(labels, "generation/labels").select("request_id", "code", "role").collect(),
    )


def read_manifest(path: str | Path, keys: Sequence[str], rule: str) -> dict[str, Any]:
    """Read a manifest that ``rule`` wrote and that must hold ``keys``.

    Raises:
        UserError: the file is missing, no JSON, or lacks a key that the page shows.
    """
    account = read_json(path)
    for key in keys:
        if key not in account:
            raise UserError(f"{path}: key {key} is missing; run `snakemake -R {rule}`")
    return account


def _by_split(paths: Sequence[str], table: str, columns: Sequence[str]) -> dict[str, pl.DataFrame]:
    return {
        split: scan_table(path, table).select(columns).collect()
        for split, path in zip(SPLITS, paths, strict=True)
    }


def _read_figure(path: str) -> str:
    """Return the SVG element of a file, without the XML declaration and document type."""
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; rule plot_{Path(path).stem} writes it")
    text = Path(path).read_text(encoding="utf-8")
    if "<svg" not in text:
        raise UserError(f"{path}: not an SVG file; run `snakemake -R plot_{Path(path).stem}`")
    return text[text.index("<svg") :]


def read_planned(paths: Sequence[str], recipes: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Read how often each recipe's plan mentions each code.

    Args:
        paths: tables ``plan/code_sets``, in the order of ``recipes``.
        recipes: their names.
    """
    columns = ["anchor", "codes", "reserve"]
    return {
        recipe: planned_mentions(scan_table(path, "plan/code_sets").select(columns).collect())
        for recipe, path in zip(recipes, paths, strict=True)
    }


def read_by_recipe(
    paths: Sequence[str], recipes: Sequence[str], table: str
) -> dict[str, pl.DataFrame]:
    """Read a table of every recipe, in the order of ``recipes``, by their names."""
    return {recipe: read_table(path, table) for recipe, path in zip(recipes, paths, strict=True)}


def read_sources(
    paths: Mapping[str, Any],
    recipes: Sequence[str],
    planned: Sequence[str],
    assessed: Sequence[str],
    runs: Sequence[str],
    own_prices: Mapping[str, Any],
) -> Sources:
    """Read what the rule `write_report` has as input.

    Args:
        paths: files by name: metrics, averages, ensembles, comparisons, codes, jobs, tiers,
            synonyms, manifest, published_scores, prices; lists notes and labels in the order of the
            splits; lists benchmarks and models (folders) in that of ``runs``; lists allocations,
            synthetic_notes, synthetic_labels, manifests and qualities in the order of ``recipes``;
            a list code_sets in the order of ``planned`` and a list assessments in that of
            ``assessed``; the figures of :data:`FIGURES`.
        recipes: names of the recipes that any train set uses.
        planned: names of the recipes that have a plan.
        assessed: names of those that plan companions.
        runs: ``model/train_set/seedN``.
        own_prices: ``generation.prices`` of the configuration.

    Raises:
        UserError: a file is missing, unreadable or does not fit its schema.
    """
    written = {}
    for index, recipe in enumerate(recipes):
        notes, labels = read_synthetic(
            paths["synthetic_notes"][index], paths["synthetic_labels"][index]
        )
        allocation = read_table(paths["allocations"][index], "plan/allocation")
        account = read_manifest(paths["manifests"][index], _RECIPE_KEYS, "collect_notes")
        quality = read_table(paths["qualities"][index], "generation/quality")
        written[recipe] = Recipe(allocation, notes, labels, account, quality)
    return Sources(
        metrics=read_table(paths["metrics"], "evaluation/metrics"),
        averages=read_table(paths["averages"], "evaluation/averages"),
        ensembles=read_table(paths["ensembles"], "evaluation/ensembles"),
        comparisons=read_table(paths["comparisons"], "evaluation/comparisons"),
        codes=read_table(paths["codes"], "report/codes"),
        jobs=read_table(paths["jobs"], "report/jobs"),
        trainings=read_trainings(paths["benchmarks"], paths["models"], runs),
        tiers=read_table(paths["tiers"], "plan/tiers"),
        synonyms=read_table(paths["synonyms"], "terminology/synonyms"),
        notes=_by_split(paths["notes"], "corpus/notes", ["note_id", "patient_id"]),
        labels=_by_split(paths["labels"], "corpus/labels", ["note_id", "code"]),
        manifest=read_manifest(
            paths["manifest"], ["rows", "files", "published"], "describe_corpus"
        ),
        recipes=written,
        planned=read_planned(paths["code_sets"], planned),
        assessed=read_by_recipe(paths["assessments"], assessed, "plan/plausibility"),
        published_scores=read_published_scores(paths["published_scores"]),
        prices=load_prices(paths["prices"], own_prices),
        figures={name: _read_figure(paths[name]) for name in FIGURES},
    )
