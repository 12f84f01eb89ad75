"""The page's tables: headers and cells as text, ready for the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from longtail_icd.report.answer import rows_of
from longtail_icd.report.code_frequencies import frequencies_by_tier
from longtail_icd.report.glossary import (
    ALL_CODES,
    OUTSIDE,
    TIERS,
    metric_label,
    metric_order,
    model_name,
    tier_rules,
)
from longtail_icd.report.numbers import (
    MISSING,
    count,
    excludes_zero,
    interval,
    p_value,
    points,
    signed_points,
)

SPLITS = ("train", "dev", "test")
_TIER_ORDER = [ALL_CODES, *TIERS]


@dataclass(frozen=True)
class PageTable:
    """A table of the page; the first cell of every row is the row's header."""

    caption: str
    header: list[str]
    rows: list[list[str]]


def tier_name(tier: str) -> str:
    """Return a tier as the page writes it. Before: ``few_shot``. After: ``few-shot``."""
    return "all codes" if tier == ALL_CODES else TIERS[tier]


def _yes(excluded: bool | None) -> str:
    return MISSING if excluded is None else "yes" if excluded else "no"


def comparison_table(
    comparisons: pl.DataFrame, pair: dict[str, str], model: str, confidence: float
) -> PageTable:
    """All metrics and tiers of one comparison and model, in points.

    Raises:
        UserError: the table has no rows for this comparison and model.
    """
    rows = sorted(
        rows_of(comparisons, pair, model).iter_rows(named=True),
        key=lambda row: (metric_order(row["metric"]), _TIER_ORDER.index(row["tier"])),
    )
    baseline, against = pair["baseline"], pair["against"]
    return PageTable(
        f"{model_name(model)}: {against} − {baseline}, in points",
        [
            "score",
            "difference",
            f"{confidence:.0%} interval",
            "excludes 0",
            baseline,
            against,
            "p (Holm)",
            "seeds",
        ],
        [
            [
                f"{metric_label(row['metric'], row['tier'])}, {tier_name(row['tier'])}",
                signed_points(row["delta"]),
                interval(row["ci_low"], row["ci_high"], signed=True) or MISSING,
                _yes(excludes_zero(row["ci_low"], row["ci_high"])),
                points(row["baseline_value"]),
                points(row["against_value"]),
                p_value(row["p_adjusted"]),
                count(row["n_seeds"]),
            ]
            for row in rows
        ],
    )


def _score(row: dict[str, Any]) -> str:
    return f"{points(row['value'])} {interval(row['ci_low'], row['ci_high'])}".strip()


def metric_table(
    metrics: pl.DataFrame, model: str, train_sets: Sequence[str], tier: str
) -> PageTable:
    """Every metric of one model's runs over the codes of one tier: a column per run."""
    rows = metrics.filter(
        (pl.col("model") == model)
        & (pl.col("tier") == tier)
        & (pl.col("split") == "test")
        & (pl.col("metric") != OUTSIDE)
    )
    cells = {
        (row["metric"], row["train_set"], row["seed"]): _score(row)
        for row in rows.iter_rows(named=True)
    }
    runs = sorted(
        {(train_set, seed) for _, train_set, seed in cells},
        key=lambda run: (list(train_sets).index(run[0]), run[1]),
    )
    names = sorted({metric for metric, _, _ in cells}, key=metric_order)
    return PageTable(
        f"{model_name(model)}, {tier_name(tier)}, in points",
        ["metric", *(f"{train_set}, seed {seed}" for train_set, seed in runs)],
        [
            [metric_label(metric, tier), *(cells.get((metric, *run), MISSING) for run in runs)]
            for metric in names
        ],
    )


def corpus_table(notes: dict[str, pl.DataFrame], labels: dict[str, pl.DataFrame]) -> PageTable:
    """Documents, patients, codes and labels per note of each split.

    Args:
        notes: ``corpus/notes`` by split; note_id and patient_id suffice.
        labels: ``corpus/labels`` by split; note_id and code suffice.
    """
    rows = []
    for split in SPLITS:
        documents, mentions = notes[split].height, labels[split].height
        rows.append(
            [
                split,
                count(documents),
                count(notes[split]["patient_id"].n_unique()),
                count(labels[split]["code"].n_unique()),
                f"{mentions / documents:.1f}" if documents else MISSING,
            ]
        )
    return PageTable(
        "The corpus by split", ["split", "documents", "patients", "codes", "labels per note"], rows
    )


def published_table(published: dict[str, Any] | None) -> PageTable | None:
    """Set the corpus beside the published figures of the one it should be; None if none is named.

    Args:
        published: key ``published`` of the corpus's manifest.
    """
    if published is None:
        return None
    return PageTable(
        f"Compared with the published corpus {published['corpus']}",
        ["figure", "here", "published", "tolerance", "agrees", "source"],
        [
            [
                one["figure"].replace("_", " ").replace(".", ", "),
                *(
                    MISSING if one[key] is None else f"{one[key]:,}"
                    for key in ("here", "published", "tolerance")
                ),
                "yes" if one["agrees"] else "no",
                one["source"] + ("" if one["verified"] else " (unverified)"),
            ]
            for one in published["figures"]
        ],
    )


def tier_table(
    codes: dict[str, pl.DataFrame], tiers: pl.DataFrame, test: pl.DataFrame, edges: dict[str, int]
) -> PageTable:
    """Codes and mentions by tier: real train, test, and each recipe's synthetic notes.

    Args:
        codes: ``code_frequencies.frequencies`` of each recipe.
        tiers: table ``plan/tiers``.
        test: ``corpus/labels`` of the test split; code suffices.
        edges: ``tiers`` of the config.
    """
    rules = tier_rules(edges)
    in_test = dict(
        test.join(tiers.select("code", "tier"), on="code")["tier"].value_counts().iter_rows()
    )
    real = dict(tiers.group_by("tier").agg(pl.col("n_train").sum()).iter_rows())
    sizes = dict(tiers["tier"].value_counts().iter_rows())
    sums = {
        recipe: {row["tier"]: row for row in frequencies_by_tier(one).iter_rows(named=True)}
        for recipe, one in codes.items()
    }
    rows = []
    for tier, name in TIERS.items():
        counts = [sizes.get(tier, 0), real.get(tier, 0), in_test.get(tier, 0)]
        for one in sums.values():
            counts += [one[tier]["anchor"], one[tier]["companion"]]
        rows.append([name, rules[tier], *(count(number) for number in counts)])
    synthetic = [f"{recipe}: as {role}" for recipe in sums for role in ("anchor", "companion")]
    return PageTable(
        "The label space by tier: its codes and how often they label a note",
        ["tier", "notes per code in train", "codes", "in train", "in test", *synthetic],
        rows,
    )


def synthetic_table(
    recipe: str, allocation: pl.DataFrame, notes: pl.DataFrame, tiers: pl.DataFrame
) -> PageTable:
    """Planned, written and kept notes of one recipe, by the tier of their anchor.

    Args:
        recipe: its name.
        allocation: table ``plan/allocation``.
        notes: ``generation/notes``; anchor and status suffice.
        tiers: table ``plan/tiers``.
    """
    of_code = tiers.select("code", "tier")
    planned = dict(
        allocation.join(of_code, on="code")
        .group_by("tier")
        .agg(pl.col("n_synthetic").sum())
        .iter_rows()
    )
    by_tier = notes.join(of_code, left_on="anchor", right_on="code")
    written = dict(by_tier["tier"].value_counts().iter_rows())
    kept = dict(by_tier.filter(pl.col("status") == "ok")["tier"].value_counts().iter_rows())

    def row(name: str, wanted: int, done: int, good: int) -> list[str]:
        share = f"{good / done:.1%}" if done else MISSING
        return [name, count(wanted), count(done), count(good), count(done - good), share]

    rows = [
        row(name, planned.get(tier, 0), written.get(tier, 0), kept.get(tier, 0))
        for tier, name in TIERS.items()
        if planned.get(tier, 0) or written.get(tier, 0)
    ]
    rows.append(row("sum", sum(planned.values()), sum(written.values()), sum(kept.values())))
    return PageTable(
        f"Recipe {recipe}: notes by the tier of their anchor",
        ["tier", "planned", "written", "kept", "rejected", "kept share"],
        rows,
    )
