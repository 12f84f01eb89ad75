"""What a split corpus holds: documents, patients, codes, tiers, lengths. Counts only, no text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.common.tables import KINDS, SPLITS, read_table, scan_table
from longtail_icd.common.tiers import TIERS, tier_of

WORDS = r"\S+"  # a word is a run of characters between white space, whatever the text's cleaning
QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9, "q99": 0.99}
# Least and greatest number of notes per code; null: without end.
BANDS = {
    "1000+": (1000, None),
    "100-999": (100, 999),
    "50-99": (50, 99),
    "10-49": (10, 49),
    "5-9": (5, 9),
    "2-4": (2, 4),
    "1": (1, 1),
    "0": (0, 0),
}


def spread(values: pl.Series) -> dict[str, float | None]:
    """Return mean, quantiles (between two values: in proportion) and maximum of counts."""
    quantiles = {name: values.quantile(at, "linear") for name, at in QUANTILES.items()}
    mean = values.mean()
    return {
        "mean": None if mean is None else round(mean, 3),
        **quantiles,
        "max": values.max(),
    }


def read_sizes(notes: str | Path, labels: pl.DataFrame) -> pl.DataFrame:
    """Return note_id, patient_id, words and labels of every document of one split.

    Args:
        notes: the table corpus/notes; its texts are counted a group of rows at a time.
        labels: the split's table corpus/labels.
    """
    words = (
        scan_table(notes, "corpus/notes")
        .select("note_id", "patient_id", words=pl.col("text").str.count_matches(WORDS))
        .collect(engine="streaming")
    )
    mentions = labels.group_by("note_id").len("labels")
    return words.join(mentions, on="note_id", how="left").with_columns(
        pl.col("labels").fill_null(0)
    )


def count_codes(labels: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return version, code, kind and, by split and in all, how many notes carry the code."""
    mentions = pl.concat(
        one.select("version", "code", "kind").with_columns(split=pl.lit(split))
        for split, one in labels.items()
    )
    return mentions.group_by("version", "code", "kind").agg(
        *((pl.col("split") == split).sum().alias(split) for split in SPLITS), all=pl.len()
    )


def count_bands(codes: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return how many codes come how often, in train, in test and in all."""
    return {
        column: {
            band: codes.filter(
                (pl.col(column) >= low) & ((pl.col(column) <= high) if high is not None else True)
            ).height
            for band, (low, high) in BANDS.items()
        }
        for column in ("train", "test", "all")
    }


def count_tiers(codes: pl.DataFrame, tiers: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return codes and mentions of each tier, by the train frequency of the corpus's own codes.

    Args:
        codes: see :func:`count_codes`.
        tiers: least train frequency of head, medium and tail.
    """
    tiered = codes.with_columns(tier=tier_of(pl.col("train"), tiers))
    return {
        name: {
            "codes": one.height,
            "codes_in_test": one.filter(pl.col("test") > 0).height,
            "labels_in_train": int(one["train"].sum()),
            "labels_in_test": int(one["test"].sum()),
        }
        for name in TIERS
        for one in [tiered.filter(tier=name)]
    }


def _by_split(sizes: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    whole = {**sizes, "all": pl.concat(sizes.values())}
    return {
        "documents": {name: one.height for name, one in whole.items()},
        "patients": {name: one["patient_id"].n_unique() for name, one in whole.items()},
        "documents_without_codes": {
            name: one.filter(labels=0).height for name, one in whole.items()
        },
        "labels": {name: int(one["labels"].sum()) for name, one in whole.items()},
        "labels_per_note": {name: spread(one["labels"]) for name, one in whole.items()},
        "words_per_note": {name: spread(one["words"]) for name, one in whole.items()},
    }


def describe(
    notes: Mapping[str, str | Path], labels: Mapping[str, str | Path], tiers: Mapping[str, int]
) -> dict[str, Any]:
    """Return the figures of a split corpus.

    Args:
        notes: the tables corpus/notes by split; no more than some thousand texts are held.
        labels: the tables corpus/labels by split.
        tiers: ``tiers`` of the configuration.

    Raises:
        UserError: a table is missing or does not fit its schema.
    """
    read = {split: read_table(labels[split], "corpus/labels") for split in SPLITS}
    sizes = {split: read_sizes(notes[split], read[split]) for split in SPLITS}
    codes = count_codes(read)
    unseen = codes.filter(train=0)
    return {
        **_by_split(sizes),
        "codes": {
            **{split: codes.filter(pl.col(split) > 0).height for split in (*SPLITS, "all")},
            **{kind: codes.filter(kind=kind).height for kind in KINDS},
        },
        "codes_unseen_in_train": {
            split: unseen.filter(pl.col(split) > 0).height for split in ("dev", "test")
        },
        "labels_unseen_in_train": {split: int(unseen[split].sum()) for split in ("dev", "test")},
        "codes_by_frequency": count_bands(codes),
        "tiers": count_tiers(codes, tiers),
    }


def as_table(figures: Mapping[str, Any]) -> str:
    """Return the main figures by split as aligned text for a log; see :func:`describe`."""
    lines = ["split  documents  patients    codes  labels/note  words/note (medians)"]
    for split in (*SPLITS, "all"):
        counts = [figures[key][split] for key in ("documents", "patients", "codes")]
        medians = [figures[key][split]["median"] for key in ("labels_per_note", "words_per_note")]
        numbers = "".join(
            f"{number or 0:>{width},.0f}"
            for number, width in zip([*counts, *medians], (11, 10, 9, 13, 12), strict=True)
        )
        lines.append(f"{split:<5}{numbers}")
    return "\n".join(lines)
