"""The samples of a recipe's notes and of train, from the files that the rule names."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from longtail_icd.common.tables import read_table, scan_table
from longtail_icd.generation.prompts.exemplars import note_texts
from longtail_icd.generation.quality.measures import assess_notes
from longtail_icd.generation.quality.samples import Samples, draw_ids, read_sample


def of_requests(request_ids: list[str]) -> pl.Expr:
    """Return the filter that keeps the rows of these requests."""
    return pl.col("request_id").is_in(pl.Series(request_ids, dtype=pl.String).implode())


def assess_files(files: Mapping[str, str | Path], notes: int, seed: int) -> pl.DataFrame:
    """Return the table `generation/quality`; of the texts only the samples are held.

    Args:
        files: notes and labels of the recipe; train_notes, train_labels; exemplars, tiers, codes
            and synonyms.
        notes: most notes of a sample.
        seed: of the samples.

    Raises:
        UserError: a file is missing or does not fit, or there is nothing to compare.
    """
    train = scan_table(files["train_notes"], "corpus/notes")
    written = scan_table(files["notes"], "generation/notes")
    reference, real, synthetic = draw_ids(train, written, notes, seed)
    asked = of_requests(synthetic)
    labels = scan_table(files["labels"], "generation/labels").filter(asked).collect()
    exemplars = scan_table(files["exemplars"], "plan/exemplars").filter(asked).collect()
    train_labels = scan_table(files["train_labels"], "corpus/labels")
    kept = labels.lazy().filter(pl.col("weight") > 0)
    samples = Samples(
        read_sample(reference, train, train_labels, "note_id"),
        read_sample(real, train, train_labels, "note_id"),
        read_sample(synthetic, written, kept, "request_id"),
        note_texts(exemplars, train),
    )
    return assess_notes(
        samples,
        labels,
        read_table(files["tiers"], "plan/tiers"),
        read_table(files["codes"], "terminology/codes"),
        read_table(files["synonyms"], "terminology/synonyms"),
    )
