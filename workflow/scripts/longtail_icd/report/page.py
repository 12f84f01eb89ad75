"""The page that a person reads alone: tables, figures and sentences in one HTML file."""

from pathlib import Path
from typing import Any

from longtail_icd.generation.quality import pages
from longtail_icd.report.allocation import allocation_table
from longtail_icd.report.answer import answers
from longtail_icd.report.averages import average_table
from longtail_icd.report.code_frequencies import frequencies, synthetic_mentions
from longtail_icd.report.controls import CONTROLS, main_comparison, missing_controls, not_run
from longtail_icd.report.coverage import coverage_table, source_table
from longtail_icd.report.efficiency import cost_table, efficiency_table, tokens_by_train_set
from longtail_icd.report.f1_by_code import code_pairs, moved_table
from longtail_icd.report.families import family_table
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
from longtail_icd.report.jobs import job_tables
from longtail_icd.report.numbers import count
from longtail_icd.report.overview import overview_table
from longtail_icd.report.plausibility import plausibility_table
from longtail_icd.report.provenance import (
    endpoint_name,
    git_revision,
    input_table,
    shown_settings,
    versions,
)
from longtail_icd.report.published_scores import (
    admit,
    literature_table,
    refused_table,
    why_not_comparable,
)
from longtail_icd.report.quality import evidence_table, quality_table, section_table
from longtail_icd.report.sources import Recipe, Sources
from longtail_icd.report.summary import facts, is_simulated, writer_of
from longtail_icd.report.tables import (
    PageTable,
    comparison_table,
    corpus_table,
    metric_table,
    published_table,
    synthetic_table,
    tier_table,
)

LABEL_SPACES = {
    "corpus": "every code that any split uses, as is customary in the field. This list knows which "
    "unseen codes the evaluation holds: the zero-shot codes, and the notes written for them, "
    "were chosen with that knowledge.",
    "train": "the codes of the train split. A code that occurs in dev or test only cannot be "
    "predicted and counts as missed.",
    "siblings": "the codes of the train split and those that stand beside one of them under one "
    "heading, chosen without a look at dev or test.",
    "taxonomy": "the codes of the train split and every leaf of the code system, chosen without a "
    "look at dev or test.",
    "file": "the codes listed in a file that the configuration names. Whoever made the list "
    "decides what it knows about the evaluation.",
}


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
        "writer": writer_of(name, recipe, settings),
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


def _outside(sources: Sources) -> int:
    """Return how many gold labels of the test split lie outside the label space."""
    return sources.labels["test"].join(sources.tiers, on="code", how="anti").height


def _results(sources: Sources, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what the models achieved: comparisons, scores, codes, families, costs."""
    confidence = settings["evaluation"]["bootstrap"]["confidence"]
    models, train_sets = sorted(settings["models"]), list(settings["train_sets"])
    pairs, main = settings["comparisons"], main_comparison(settings)
    comparisons, metrics = sources.comparisons, sources.metrics
    notes = {name: recipe.notes for name, recipe in sources.recipes.items()}
    tokens = tokens_by_train_set(settings["train_sets"], notes)
    moved = code_pairs(sources.codes, main)
    shown = list(main.values()) if main else train_sets[:1]
    return {
        "confidence": f"{confidence:.0%}",
        "main": main,
        "answers": answers(comparisons, [main] if main else [], models, confidence),
        "overview": [overview_table(comparisons, pairs, one, settings) for one in models],
        "controls": CONTROLS,
        "longer": "equal steps" in dict(missing_controls(settings)),
        "comparisons": [
            comparison_table(comparisons, pair, model, confidence)
            for pair in pairs
            for model in models
        ],
        "efficiency": [
            efficiency_table(comparisons, pairs, one, sources.trainings, tokens) for one in models
        ],
        "averages": [average_table(sources.averages, one, train_sets) for one in models],
        "ensembles": [
            average_table(sources.ensembles, one, train_sets, "all seeds together")
            for one in models
            if len(settings["seeds"]) > 1
        ],
        "moved": [moved_table(moved, one) for one in models],
        "families": [family_table(sources.codes, one, shown) for one in models],
        "scores": [metric_table(metrics, model, train_sets, ALL_CODES) for model in models],
        "scores_by_tier": [
            metric_table(metrics, one, train_sets, tier) for one in models for tier in TIERS
        ],
        "cost": cost_table(notes, sources.prices),
        "jobs": job_tables(sources.jobs),
        "no_tokens": not any(tokens.values()),
    }


def _literature(sources: Sources, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the published scores beside this run's, or why there are none."""
    published = sources.manifest["published"]
    reason = why_not_comparable(settings, published)
    if reason is not None:
        return {"reason": reason, "refused": None, "table": None}
    computed = list(sources.metrics["metric"].unique())
    kept, refused = admit(sources.published_scores, published["corpus"], computed)
    return {
        "reason": None,
        "refused": refused_table(refused),
        "table": literature_table(
            kept,
            sources.metrics,
            published["corpus"],
            sources.tiers.height,
            settings["evaluation"]["threshold"],
        ),
    }


def _material(sources: Sources, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what the models learnt from: corpus, label space, plan, notes."""
    outside = _outside(sources)
    codes = {
        name: frequencies(sources.tiers, synthetic_mentions(recipe.notes, recipe.labels))
        for name, recipe in sources.recipes.items()
    }
    return {
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
    }


def context(sources: Sources, settings: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the template shows, as text and tables.

    Args:
        sources: the tables and figures.
        settings: the blocks of the configuration that the run used.

    Raises:
        UserError: the comparisons table lacks a configured comparison.
    """
    simulated = is_simulated(settings)
    return {
        "corpus": settings["corpus"],
        "simulated": simulated,
        "disjoint": simulated and settings["corpus"]["simulation"]["overlap"] == 0,
        "seeds": settings["seeds"],
        "samples": count(settings["evaluation"]["bootstrap"]["samples"]),
        "facts": facts(sources, settings),
        "not_run": not_run(settings, list(sources.planned)),
        "literature": _literature(sources, settings),
        "figures": sources.figures,
        "settings": shown_settings(settings),
        "versions": versions(),
        "revision": git_revision(Path(__file__).parent),
        "inputs": input_table(sources.manifest["files"]),
        "definitions": _definitions(sources),
        **_results(sources, settings),
        **_material(sources, settings),
    }


def render(sources: Sources, settings: dict[str, Any], template: str | Path) -> str:
    """Return the page as HTML.

    Args:
        sources: the tables and figures.
        settings: the blocks of the configuration that the run used.
        template: the Jinja2 template; the others beside it are its parts.

    Raises:
        UserError: the template is broken, or a table lacks what the page must show.
    """
    return pages.render(template, **context(sources, settings))
