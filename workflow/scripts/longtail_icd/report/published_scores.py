"""A run beside scores of the literature of the same corpus, split and definition, or not at all."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.report.glossary import ALL_CODES, metric_label, metric_order, model_name
from longtail_icd.report.numbers import MISSING, count, points
from longtail_icd.report.tables import PageTable

COLUMNS = ("corpus", "split", "codes", "model", "metric", "value", "basis", "threshold", "source")
BASES = ("source", "assumed", "unknown")
# What of the corpus has to agree with the published one before any score is comparable.
_FIGURES = ("documents.train", "documents.dev", "documents.test", "codes.all")


def read_published_scores(path: str | Path) -> pl.DataFrame:
    """Read the table of published scores.

    Returns:
        corpus (a key of published_figures.yaml), split, codes (of the label space; null: not
        known), model, metric (its definition here, or that of another name), value (points),
        basis (of the definition: read in the source, assumed, unknown), threshold (what it was
        tuned on: dev, test, unknown), source.

    Raises:
        UserError: a column is missing, a value is no number or a basis is not known.
    """
    try:
        table = pl.read_csv(path, schema_overrides={"value": pl.Float64, "codes": pl.Int64})
    except (OSError, pl.exceptions.PolarsError):
        raise UserError(f"{path}: not a readable table with numbers in value and codes") from None
    for column in COLUMNS:
        if column not in table.columns:
            raise UserError(f"{path}: column {column} is missing")
    strange = table.filter(~pl.col("basis").is_in(BASES))
    if strange.height:
        raise UserError(f"{path}: basis {strange['basis'][0]}; it is one of {', '.join(BASES)}")
    return table


def why_not_comparable(settings: dict[str, Any], published: dict[str, Any] | None) -> str | None:
    """Say why no published score may stand beside this run; None if some may.

    Args:
        settings: the blocks of the configuration that the run used.
        published: key ``published`` of the corpus's manifest.
    """
    corpus = settings["corpus"]
    if corpus["path"] is None:
        return "The corpus is simulated; no score of the literature is of it."
    if published is None:
        return "The configuration names no published corpus (corpus.published)."
    if corpus["split"]["method"] != "official":
        method = corpus["split"]["method"]
        return f"The split is not the published one (corpus.split.method: {method})."
    if corpus["label_space"] != "corpus":
        found = corpus["label_space"]
        return f"The label space is not the customary one (corpus.label_space: {found})."
    differing = [
        one["figure"].replace(".", ", ")
        for one in published["figures"]
        if one["figure"] in _FIGURES and not one["agrees"]
    ]
    if differing:
        return (
            f"The corpus is not the published {published['corpus']}: {'; '.join(differing)} differ."
        )
    return None


def _refusal(row: dict[str, Any], corpus: str, computed: Sequence[str]) -> str | None:
    if row["corpus"] != corpus:
        return "of another corpus or split"
    if row["basis"] == "unknown":
        return "of a definition that their source leaves open"
    if row["metric"] not in computed:
        return "of a definition that is not computed here"
    return None


def admit(
    scores: pl.DataFrame, corpus: str, computed: Sequence[str]
) -> tuple[pl.DataFrame, Counter[str]]:
    """Return the scores that may stand beside a run, and how many may not, by reason.

    Args:
        scores: see :func:`read_published_scores`.
        corpus: the published corpus that the run's is.
        computed: the metrics that the run has.
    """
    refusals = [_refusal(row, corpus, computed) for row in scores.iter_rows(named=True)]
    kept = scores.filter(pl.Series([reason is None for reason in refusals], dtype=pl.Boolean))
    return kept, Counter(reason for reason in refusals if reason)


def _published_rows(kept: pl.DataFrame, metrics: Sequence[str]) -> list[list[str]]:
    rows = []
    keys = ["model", "codes", "threshold", "source"]
    for (model, codes, threshold, source), own in kept.group_by(keys, maintain_order=True):
        cells = {
            row["metric"]: f"{row['value']:.1f}" + ("*" if row["basis"] == "assumed" else "")
            for row in own.iter_rows(named=True)
        }
        found = [cells.get(metric, MISSING) for metric in metrics]
        rows.append([model, *found, count(codes), threshold, source])
    return rows


def _own_rows(
    means: pl.DataFrame, metrics: Sequence[str], n_codes: int, threshold: str
) -> list[list[str]]:
    rows = []
    for (model, train_set), own in means.group_by("model", "train_set", maintain_order=True):
        values = dict(own.select("metric", "value").iter_rows())
        cells = [points(values.get(metric)) for metric in metrics]
        rows.append(
            [f"{model_name(model)}, {train_set}", *cells, count(n_codes), threshold, "this run"]
        )
    return rows


def literature_table(
    kept: pl.DataFrame, metrics: pl.DataFrame, corpus: str, n_codes: int, threshold: str
) -> PageTable | None:
    """Set the run's means over its seeds above the published scores; None if there are none.

    Args:
        kept: the admitted scores.
        metrics: table ``evaluation/metrics``.
        corpus: the published corpus.
        n_codes: of the label space here.
        threshold: ``evaluation.threshold`` of the configuration.
    """
    if kept.is_empty():
        return None
    shown = sorted(set(kept["metric"]), key=metric_order)
    own = metrics.filter(pl.col("metric").is_in(shown), tier=ALL_CODES, split="test")
    means = own.group_by("model", "train_set", "metric", maintain_order=True).agg(
        pl.col("value").mean()
    )
    tuned = "dev" if threshold == "micro_f1" else threshold
    return PageTable(
        f"On {corpus}, in points; *: the definition is assumed",
        ["model", *map(metric_label, shown), "codes", "threshold tuned on", "source"],
        [*_own_rows(means, shown, n_codes, tuned), *_published_rows(kept, shown)],
    )


def refused_table(refused: Counter[str]) -> PageTable:
    """How many published scores are not shown, by reason."""
    return PageTable(
        "Published scores that are not shown",
        ["reason", "scores"],
        [[reason, f"{number:,}"] for reason, number in sorted(refused.items())],
    )
