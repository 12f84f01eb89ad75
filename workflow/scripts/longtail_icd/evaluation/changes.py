"""Where two train sets' coders differ: the notes and codes that one finds in more seeds."""

from collections.abc import Sequence

import polars as pl
from scipy.sparse import csr_array

from longtail_icd.common.tables import TABLES
from longtail_icd.evaluation.scores import Scores

PLACE = ["note_id", "code"]


def codes_given(scores: Scores, predicted: csr_array) -> pl.DataFrame:
    """Return what a run decided for, a row per note and code: columns note_id, code.

    Args:
        scores: the run's score file.
        predicted: boolean, its notes × codes.
    """
    rows, columns = predicted.nonzero()
    notes, codes = pl.Series(scores.note_ids), pl.Series(scores.codes)
    return pl.DataFrame({"note_id": notes.gather(rows), "code": codes.gather(columns)})


def changed_labels(
    baseline: Sequence[pl.DataFrame],
    against: Sequence[pl.DataFrame],
    labels: pl.DataFrame,
    tiers: pl.DataFrame,
    names: dict[str, str],
) -> pl.DataFrame:
    """Return a table `evaluation/changed_labels`: where one side gives a code in more seeds.

    Before: baseline gives note 7 the code I10 in seed 1; against in seeds 1 and 2. After: one row
    with 1 and 2 seeds, gold if the note's own labels hold I10.

    Args:
        baseline, against: what each seed's run gave, see :func:`codes_given`.
        labels: corpus/labels of the split.
        tiers: plan/tiers.
        names: baseline, against and model.
    """
    counts = [
        pl.concat(runs).group_by(PLACE).len(name)
        for runs, name in ((baseline, "baseline_seeds"), (against, "against_seeds"))
    ]
    seeds = pl.col("baseline_seeds", "against_seeds").fill_null(0).cast(pl.Int64)
    known = labels.select(PLACE).unique().with_columns(gold=True)
    return (
        counts[0]
        .join(counts[1], on=PLACE, how="full", coalesce=True)
        .with_columns(seeds)
        .filter(pl.col("baseline_seeds") != pl.col("against_seeds"))
        .join(known, on=PLACE, how="left")
        .join(tiers.select("version", "code", "kind", "tier"), on="code", how="left")
        .with_columns(pl.col("gold").fill_null(False), **{k: pl.lit(v) for k, v in names.items()})
        .select(list(TABLES["evaluation/changed_labels"].columns))
        .sort(PLACE)
    )
