"""All shards of a recipe together, and an account of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import scan_table
from longtail_icd.generation.screening.duplicates import near_duplicates

Paths = Iterable[str | Path]


def merge_shards(paths: Paths, table: str) -> pl.DataFrame:
    """Return the shards' rows sorted by request_id; rows of one request keep their order."""
    shards = [scan_table(path, table) for path in paths]
    return pl.concat(shards).sort("request_id", maintain_order=True).collect()


def _counts(frame: pl.LazyFrame, *columns: str) -> pl.DataFrame:
    return frame.group_by(columns).agg(count=pl.len()).sort(columns, nulls_last=True).collect()


def reject_duplicates(
    notes: pl.DataFrame, labels: pl.DataFrame, threshold: float | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Reject notes that are nearly a note of another anchor, and leave out their labels.

    Of two such notes the one with the lower request_id stays. Each shard has looked for
    duplicates within an anchor, where a reserve request could still take their place.

    Args:
        notes: the table `generation/notes` of all shards, sorted by request_id.
        labels: their table `generation/labels`.
        threshold: similarity (0 to 1) from which on two notes are the same; None: never.
    """
    if threshold is None:
        return notes, labels
    ok = notes.filter(pl.col("status") == "ok").select("request_id", "text")
    twice = ok.filter(pl.Series(near_duplicates(ok["text"], threshold), dtype=pl.Boolean))
    rejected = pl.col("request_id").is_in(twice["request_id"].implode())
    notes = notes.with_columns(
        status=pl.when(rejected).then(pl.lit("rejected")).otherwise("status"),
        reasons=pl.when(rejected).then(pl.lit(["near_duplicate"])).otherwise("reasons"),
    )
    return notes, labels.filter(~rejected)


def coverage(notes: pl.LazyFrame, allocated: pl.LazyFrame) -> dict[str, int]:
    """Return how many anchors have all their allocated notes, some of them, or none.

    Args:
        notes: the table `generation/notes`.
        allocated: anchor and reserve of each request.
    """
    wanted = allocated.filter(~pl.col("reserve")).group_by("anchor").agg(wanted=pl.len())
    good = notes.filter(pl.col("status") == "ok").group_by("anchor").agg(good=pl.len())
    both = wanted.join(good, on="anchor", how="left").with_columns(pl.col("good").fill_null(0))
    full, none = pl.col("good") >= pl.col("wanted"), pl.col("good") == 0
    counts = both.select(
        all=full.sum(), some=(~full & ~none).sum(), none=(none & ~full).sum()
    ).collect()
    return counts.row(0, named=True)


def missing_anchors(notes: pl.LazyFrame) -> list[str]:
    """Return the anchors for which notes were asked and none is ok, sorted."""
    ok = (pl.col("status") == "ok").any()
    return (
        notes.group_by("anchor")
        .agg(ok)
        .filter(~pl.col("status"))
        .collect()["anchor"]
        .sort()
        .to_list()
    )


def manifest(
    notes: pl.DataFrame, labels: pl.DataFrame, prompts: Paths, responses: Paths
) -> dict[str, Any]:
    """Return what was asked, what came back and where prompts of which data class went.

    Args:
        notes: the table `generation/notes` of all shards.
        labels: their table `generation/labels`.
        prompts: the tables `generation/prompts` of all shards.
        responses: their tables `generation/responses`.
    """
    lazy = notes.lazy()
    classes = pl.concat([scan_table(path, "generation/prompts") for path in prompts])
    endpoints = pl.concat([scan_table(path, "generation/responses") for path in responses])
    sent = classes.select("request_id", "data_class").join(
        endpoints.select("request_id", "endpoint"), on="request_id"
    )
    reasons = lazy.select("reasons").explode("reasons", empty_as_null=False)
    verdicts = labels.lazy().select("role", "verdict")
    return {
        "notes": dict(_counts(lazy, "status").iter_rows()),
        "reasons": dict(_counts(reasons.drop_nulls(), "reasons").iter_rows()),
        "models": dict(_counts(lazy, "model").iter_rows()),
        "tokens": {
            column: notes[column].sum() for column in ("prompt_tokens", "completion_tokens")
        },
        "data_classes": _counts(sent, "endpoint", "data_class").to_dicts(),
        "anchors": notes["anchor"].n_unique(),
        "coverage": coverage(lazy, classes.select("anchor", "reserve")),
        "missing_anchors": missing_anchors(lazy),
        "labels": _counts(verdicts, "role", "verdict").to_dicts(),
    }


def check_any_ok(account: dict[str, Any], recipe: str) -> None:
    """Stop if a recipe has no note to train on.

    Raises:
        UserError: says why the notes were rejected, or that none were asked for.
    """
    if account["notes"].get("ok"):
        return
    if not account["notes"]:
        raise UserError(
            f"recipe {recipe}: no note was asked for; no code is below tiers.medium, or "
            f"recipes.{recipe}.allocation gives every anchor 0"
        )
    reasons = ", ".join(f"{reason} {count}" for reason, count in account["reasons"].items())
    raise UserError(
        f"recipe {recipe}: none of {account['notes']['rejected']} notes passed the screening "
        f"({reasons}); check the writer, or recipes.{recipe}.screening"
    )
