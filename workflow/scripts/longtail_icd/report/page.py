"""The page that a person reads alone: tables, figures and sentences in one HTML file."""

import copy
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import Any
from urllib.parse import urlsplit

import yaml
from jinja2 import Environment, StrictUndefined, TemplateError

from longtail_icd.common.errors import UserError
from longtail_icd.report.allocation import allocation_table
from longtail_icd.report.answer import answers
from longtail_icd.report.code_frequencies import frequencies, synthetic_mentions
from longtail_icd.report.coverage import coverage_table, source_table
from longtail_icd.report.glossary import (
    ALL_CODES,
    METRICS,
    OUTSIDE,
    PLAUSIBILITY,
    QUALITY,
    TIERS,
    metric_entry,
    metric_order,
)
from longtail_icd.report.numbers import count
from longtail_icd.report.plausibility import plausibility_table
from longtail_icd.report.quality import evidence_table, quality_table, section_table
from longtail_icd.report.sources import Recipe, Sources
from longtail_icd.report.tables import (
    PageTable,
    comparison_table,
    corpus_table,
    metric_table,
    published_table,
    synthetic_table,
    tier_table,
)

_VERSIONS = ("torch", "transformers", "snakemake", "polars", "numpy", "scipy", "matplotlib")

LABEL_SPACES = {
    "corpus": "every code that any split uses, as is customary in the field. This list knows which "
    "unseen codes the evaluation holds: the zero-shot codes, and the notes written for them, "
    "were chosen with that knowledge.",
    "train": "the codes of the train split. A code that occurs in dev or test only cannot be "
    "predicted and counts as missed.",
    "taxonomy": "the codes of the train split and every leaf of the code system, chosen without a "
    "look at dev or test.",
    "file": "the codes listed in a file that the configuration names. Whoever made the list "
    "decides what it knows about the evaluation.",
}


def is_simulated(settings: dict[str, Any]) -> bool:
    """Return whether the corpus came from the simulator: the configuration names no folder."""
    return settings["corpus"]["path"] is None


def shown_settings(settings: dict[str, Any]) -> str:
    """Return the settings as YAML; of every path only its last part, so no machine is told."""
    shown = copy.deepcopy(settings)
    places = [
        (shown["corpus"], "path"),
        (shown["corpus"], "label_file"),
        (shown["corpus"]["split"], "ids"),
        *((shown["terminology"], key) for key in ("headings", "d_icd", "index", "umls")),
    ]
    if Path(str(shown["encoder"]["name"])).is_absolute():
        places.append((shown["encoder"], "name"))
    for block, key in places:
        if block[key] is not None:
            block[key] = Path(block[key]).name
    for writer in shown["writers"].values():
        if "base_url" in writer:
            writer["base_url"] = endpoint_name(writer["base_url"])
        if "base_urls" in writer:
            writer["base_urls"] = [endpoint_name(one) for one in writer["base_urls"]]
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)


def endpoint_name(endpoint: str | None) -> str:
    """Return where prompts went, without credentials or query.

    Before: ``http://me:secret@host:8000/v1?key=1``. After: ``http://host:8000/v1``; null, where
    nothing was sent, becomes ``nowhere``.
    """
    if endpoint is None:
        return "nowhere"
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def versions() -> dict[str, str]:
    """Return the versions of what runs here, read now."""
    found = {"python": python_version()}
    for package in _VERSIONS:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not in this environment"
    return found


def _recipe(
    name: str, recipe: Recipe, sources: Sources, settings: dict[str, Any]
) -> dict[str, Any]:
    reasons = sorted(recipe.manifest["reasons"].items(), key=lambda item: (-item[1], item[0]))
    sent = [
        [endpoint_name(row["endpoint"]), row["data_class"], count(row["count"])]
        for row in recipe.manifest["data_classes"]
    ]
    return {
        "name": name,
        "writer": settings["recipes"][name]["writer"],
        "backend": settings["writers"][settings["recipes"][name]["writer"]]["backend"],
        "models": sorted(recipe.manifest["models"]),
        "missing": count(len(recipe.manifest["missing_anchors"])),
        "table": synthetic_table(name, recipe.allocation, recipe.notes, sources.tiers),
        "reasons": PageTable(
            f"Recipe {name}: rejected notes by reason; a note can have several",
            ["reason", "notes"],
            [[reason.replace("_", " "), count(number)] for reason, number in reasons],
        ),
        "quality": [
            quality_table(name, recipe.quality),
            evidence_table(name, recipe.quality),
            section_table(name, recipe.quality),
        ],
        "sent": PageTable(
            f"Recipe {name}: which prompts went where",
            ["sent to", "data class", "prompts"],
            sent,
        ),
    }


def _definitions(sources: Sources) -> list[tuple[str, str]]:
    names = sorted(set(sources.metrics["metric"]) | set(METRICS), key=metric_order)
    entries = [metric_entry(metric) for metric in names if metric != OUTSIDE]
    return [(name, definition) for name, definition in entries if definition]


def _is_control(pair: dict[str, str], settings: dict[str, Any]) -> bool:
    return settings["train_sets"][pair["against"]]["permute_anchors"]


def _outside(sources: Sources) -> int:
    """Return how many gold labels of the test split lie outside the label space."""
    return sources.labels["test"].join(sources.tiers, on="code", how="anti").height


def context(sources: Sources, settings: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the template shows, as text and tables.

    Args:
        sources: the tables and figures.
        settings: the blocks of the configuration that the run used.

    Raises:
        UserError: the comparisons table lacks a configured comparison.
    """
    confidence = settings["evaluation"]["bootstrap"]["confidence"]
    models, train_sets = sorted(settings["models"]), list(settings["train_sets"])
    pairs = settings["comparisons"]
    controls = [pair for pair in pairs if _is_control(pair, settings)]
    questions = [pair for pair in pairs if not _is_control(pair, settings)]
    outside = _outside(sources)
    codes = {
        name: frequencies(sources.tiers, synthetic_mentions(recipe.notes, recipe.labels))
        for name, recipe in sources.recipes.items()
    }
    return {
        "corpus": settings["corpus"],
        "simulated": is_simulated(settings),
        "disjoint": is_simulated(settings) and settings["corpus"]["simulation"]["overlap"] == 0,
        "seeds": settings["seeds"],
        "confidence": f"{confidence:.0%}",
        "samples": count(settings["evaluation"]["bootstrap"]["samples"]),
        "answers": answers(sources.comparisons, questions, models, confidence),
        "controls": answers(sources.comparisons, controls, models, confidence),
        "comparisons": [
            comparison_table(sources.comparisons, pair, model, confidence)
            for pair in pairs
            for model in models
        ],
        "scores": [metric_table(sources.metrics, model, train_sets, ALL_CODES) for model in models],
        "scores_by_tier": [
            table
            for model in models
            for tier in TIERS
            if (table := metric_table(sources.metrics, model, train_sets, tier)).rows
        ],
        "label_space": LABEL_SPACES[settings["corpus"]["label_space"]],
        "n_codes": count(sources.tiers.height),
        "outside": count(outside) if outside else None,
        "corpus_table": corpus_table(sources.notes, sources.labels),
        "published_table": published_table(sources.manifest["published"]),
        "tier_table": tier_table(codes, sources.tiers, sources.labels["test"], settings["tiers"]),
        "allocation_table": allocation_table(sources.tiers, sources.planned),
        "plausibility_tables": [
            plausibility_table(recipe, one) for recipe, one in sources.assessed.items()
        ],
        "plausibility": [(name, good) for name, good, _ in PLAUSIBILITY.values()],
        "quality": [(name, good) for name, good, _ in QUALITY.values()],
        "coverage_table": coverage_table(sources.synonyms, sources.tiers),
        "source_table": source_table(sources.synonyms, sources.tiers),
        "corpus_counts": PageTable(
            "Rows of the raw tables, and why some were left out",
            ["rows", "count"],
            [
                [name.replace("_", " "), count(rows)]
                for name, rows in sources.manifest["rows"].items()
            ],
        ),
        "recipes": [
            _recipe(name, recipe, sources, settings) for name, recipe in sources.recipes.items()
        ],
        "figures": sources.figures,
        "settings": shown_settings(settings),
        "versions": versions(),
        "definitions": _definitions(sources),
    }


def render(sources: Sources, settings: dict[str, Any], template: str | Path) -> str:
    """Return the page as HTML.

    Args:
        sources: the tables and figures.
        settings: the blocks of the configuration that the run used.
        template: the Jinja2 template.

    Raises:
        UserError: the template is broken, or a table lacks what the page must show.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    try:
        page = environment.from_string(Path(template).read_text(encoding="utf-8"))
        return page.render(context(sources, settings))
    except TemplateError as error:
        raise UserError(f"{template}: {error.message}; mend the template") from None
