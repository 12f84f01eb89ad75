"""The card of a trained model: from its folder, its run's metrics and the corpus' manifest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from huggingface_hub import EvalResult, ModelCardData

from longtail_icd.common.files import read_json
from longtail_icd.common.tiers import TIERS
from longtail_icd.generation.endpoints.card import (
    CARDS,
    TAGS,
    derived_name,
    licence_fields,
    render_card,
)
from longtail_icd.generation.endpoints.licences import SIMULATED, corpus_licence
from longtail_icd.report.glossary import (
    ALL_CODES,
    OUTSIDE,
    POOLED_F1,
    metric_entry,
    metric_order,
    model_name,
)
from longtail_icd.report.numbers import count, interval, points
from longtail_icd.report.page import LABEL_SPACES
from longtail_icd.report.provenance import versions
from longtail_icd.training.model_folder import read_titles


def encoder_in_words(encoder: Mapping[str, Any]) -> str:
    """Say what the encoder was before training; of a folder no more than its name."""
    further = "; pre-trained further on the train notes" if encoder["pretraining"] else ""
    if encoder["source"] == "scratch":
        return f"a RoBERTa with random weights, its vocabulary from the train notes{further}"
    if encoder["name"] is None:
        return f"`{encoder['archive']['url'].rpartition('/')[2]}`{further}"
    name = encoder["name"]
    if Path(name).is_absolute() or Path(name).is_dir():
        name = Path(name).name
    revision = f" at revision {encoder['revision']}" if encoder["revision"] else ""
    return f"`{name}`{revision}{further}"


def _pooled(metrics: pl.DataFrame) -> list[dict[str, str]]:
    """Return the pooled F1 of each tier with its interval, as the card shows it."""
    rows = {row["tier"]: row for row in metrics.filter(metric=POOLED_F1).iter_rows(named=True)}
    return [
        {
            "tier": tier.replace("_", "-"),
            "support": count(rows[tier]["support"]),
            "value": points(rows[tier]["value"]),
            "interval": interval(rows[tier]["ci_low"], rows[tier]["ci_high"]),
        }
        for tier in (ALL_CODES, *TIERS)
        if tier in rows
    ]


def _others(metrics: pl.DataFrame) -> list[tuple[str, str]]:
    """Return the other metrics over all codes by name, in the order of the report."""
    values = dict(metrics.filter(tier=ALL_CODES).select("metric", "value").iter_rows())
    names = sorted(set(values) - {POOLED_F1, OUTSIDE}, key=metric_order)
    return [(metric_entry(name)[0], points(values[name])) for name in names]


def _eval_results(metrics: pl.DataFrame, corpus: str) -> list[EvalResult]:
    """Return the pooled F1 of each tier (0 to 1) in the hub's form."""
    return [
        EvalResult(
            task_type="text-classification",
            dataset_type=corpus,
            dataset_name=corpus,
            dataset_split="test",
            metric_type="f1",
            metric_name=f"pooled F1, {row['tier'].replace('_', '-')} codes",
            metric_value=round(row["value"], 4),
        )
        for row in metrics.filter(metric=POOLED_F1).drop_nulls("value").iter_rows(named=True)
    ]


def model_card(
    folder: Path,
    metrics: pl.DataFrame,
    manifest: Mapping[str, Any],
    tiers: pl.DataFrame,
    accounts: Mapping[str, Mapping[str, Any]],
    config: Mapping[str, Any],
) -> str:
    """Return the card as Markdown.

    Args:
        folder: of the model.
        metrics: the table evaluation/metrics of its run.
        manifest: of the corpus.
        tiers: the table plan/tiers.
        accounts: manifests of the recipes in its train set, by recipe.
        config: the configuration that it was trained with.

    Raises:
        UserError: a file of the folder is missing or broken.
    """
    corpus, licence = config["corpus"], corpus_licence(config["corpus"])
    coder, labels = read_json(folder / "coder.json"), read_titles(folder)
    run = metrics.select("train_set", "seed", "threshold_kind").row(0, named=True)
    name = derived_name(
        corpus, licence, f"{coder['model']}-{run['train_set']}-seed{run['seed']}".replace("_", "-")
    )
    codes_by_tier = dict(tiers["tier"].value_counts().iter_rows())
    data = ModelCardData(
        model_name=name,
        language=[corpus["language"]],
        **licence_fields(licence),
        pipeline_tag="text-classification",
        tags=TAGS,
        metrics=["f1"],
        eval_results=_eval_results(metrics, corpus["name"]),
    )
    return render_card(
        CARDS / "model.md.j2",
        data,
        name=name,
        kind=model_name(coder["model"]),
        corpus=corpus,
        licence=licence,
        simulated=licence is SIMULATED,
        umls=config["terminology"]["umls"] is not None,
        labels=count(len(labels)),
        versions_of_codes=", ".join(sorted({label.version for label in labels if label.version})),
        coder=coder,
        manifest=manifest,
        train_set=run["train_set"],
        accounts=accounts,
        label_space=LABEL_SPACES[corpus["label_space"]],
        tiers=", ".join(
            f"{codes_by_tier[tier]} {tier.replace('_', '-')}"
            for tier in TIERS
            if tier in codes_by_tier
        ),
        encoder=encoder_in_words(config["encoder"]),
        threshold_kind=run["threshold_kind"],
        confidence=f"{config['evaluation']['bootstrap']['confidence']:.0%}",
        pooled=_pooled(metrics),
        others=_others(metrics),
        versions=versions(),
    )
