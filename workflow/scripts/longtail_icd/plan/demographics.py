"""Codes that only one sex or age has: by the classification, and by the train notes.

The notes may add a bound where the classification leaves a code open, and they may drop one that
they contradict. Both need numbers: coding has errors, so a few exceptions decide nothing. Each
patient counts once per code. Where no note knows its patient's sex or age, the classification
alone speaks.
"""

import numpy as np
import polars as pl
from scipy.stats import beta, binom

from longtail_icd.plan.bounds import classified_bounds

ADDED = 0.02  # the notes add a bound if at most this share of the patients lies outside it …
DROPPED = 0.1  # … and drop one if more than this share does;
CONFIDENCE = 0.95  # with this confidence, either way (Clopper and Pearson, one-sided).
AGE_EDGES = (1.0, 18.0)  # years: where a bound that the notes add may lie
BOUNDS = ["sex", "age_low", "age_high"]

# Where a patient lies outside a bound that the notes may add; null: not known.
OUTSIDE = {
    ("sex", "F"): pl.col("sex") == "M",
    ("sex", "M"): pl.col("sex") == "F",
    **{("age_low", edge): pl.col("age") < edge for edge in AGE_EDGES},
    **{("age_high", edge): pl.col("age") >= edge for edge in reversed(AGE_EDGES)},
}


def share_at_most(outside: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the upper confidence bound of a share, Clopper and Pearson; 1 without observations.

    0 outside of 149 known: 0.02; 1 of 236: 0.02.
    """
    return np.where(outside < known, beta.ppf(CONFIDENCE, outside + 1, known - outside), 1.0)


def share_at_least(outside: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the lower confidence bound of a share, Clopper and Pearson; 0 without observations.

    1 outside of 1 known: 0.05; 2 of 2: 0.22; 5 of 30: 0.07; 7 of 30: 0.11.
    """
    return np.where(outside > 0, beta.ppf(1 - CONFIDENCE, outside, known - outside + 1), 0.0)


def first_notes(labels: pl.DataFrame, notes: pl.DataFrame) -> pl.DataFrame:
    """Return each patient's first note with each code: columns code, sex, age.

    Args:
        labels: a table `corpus/labels`, train split.
        notes: note_id, patient_id, sex, age of the train split. A sex that is neither F nor M
            counts as unknown.
    """
    known = notes.sort("age", "note_id", nulls_last=True).with_columns(
        sex=pl.when(pl.col("sex").is_in(["F", "M"])).then("sex")
    )
    return (
        known.join(labels.select("note_id", "code"), on="note_id", maintain_order="left")
        .unique(["patient_id", "code"], keep="first", maintain_order=True)
        .select("code", "sex", "age")
    )


def count_outside(patients: pl.DataFrame, outside: pl.Expr) -> pl.DataFrame:
    """Return for every code the patients outside a bound, and those of whom that is known."""
    return patients.group_by("code").agg(
        outside=outside.sum().cast(pl.Int64), known=outside.count().cast(pl.Int64)
    )


def observed_bounds(patients: pl.DataFrame, everyone: pl.DataFrame) -> pl.DataFrame:
    """Return the bounds that the train notes show by themselves.

    A bound holds if at most 2 % of a code's patients lie outside it, and if so few are no chance:
    in a hospital for men every code has only men. Of a code without tie to the bound each patient
    would lie outside as often as any patient; the chance of so few is held against the number of
    all tests (Bonferroni), so that all the bounds together have one false one in 20 corpora.

    Args:
        patients: see :func:`first_notes`.
        everyone: sex and age, one row per patient.

    Returns:
        Columns code, sex, age_low, age_high, sorted; the closest edges that hold.
    """
    codes = patients.select("code").unique().sort("code")
    tests = len(codes) * len(OUTSIDE)
    found = codes.with_columns(
        pl.lit(None, pl.String if bound == "sex" else pl.Float64).alias(bound) for bound in BOUNDS
    )
    for (bound, value), outside in OUTSIDE.items():
        share = everyone.select(outside.mean()).item()
        counts = codes.join(count_outside(patients, outside), on="code", maintain_order="left")
        k, n = counts["outside"].to_numpy(), counts["known"].to_numpy()
        chance = binom.cdf(k, n, share or 0.0)
        holds = (share_at_most(k, n) <= ADDED) & (chance * tests <= 1 - CONFIDENCE)
        found = found.with_columns(
            pl.when(pl.Series(holds)).then(pl.lit(value)).otherwise(bound).alias(bound)
        )
    return found.filter(pl.any_horizontal(pl.col(BOUNDS).is_not_null()))


def _contradicted(patients: pl.DataFrame, bounds: pl.DataFrame, outside: pl.Expr) -> pl.Series:
    """Return the codes of whose patients too many lie outside their own bound."""
    counts = count_outside(patients.join(bounds, on="code", suffix="_bound"), outside)
    low = share_at_least(counts["outside"].to_numpy(), counts["known"].to_numpy())
    return counts.filter(pl.Series(low > DROPPED))["code"]


def drop_contradicted(bounds: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """Return bounds of the classification with null for those that the train notes contradict.

    Args:
        bounds: columns code, sex, age_low, age_high; a code's age bounds fall together.
        patients: see :func:`first_notes`.
    """
    low, high = pl.col("age_low").fill_null(-np.inf), pl.col("age_high").fill_null(np.inf)
    of_sex = _contradicted(patients, bounds, pl.col("sex") != pl.col("sex_bound"))
    of_age = _contradicted(patients, bounds, ~pl.col("age").is_between(low, high, closed="left"))
    other_sex, other_age = (pl.col("code").is_in(codes.implode()) for codes in (of_sex, of_age))
    return bounds.with_columns(
        sex=pl.when(~other_sex).then("sex"),
        age_low=pl.when(~other_age).then("age_low"),
        age_high=pl.when(~other_age).then("age_high"),
    )


def _merge(kept: pl.DataFrame, added: pl.DataFrame) -> pl.DataFrame:
    """Return both sources' bounds in one table `plan/demographics`; no bound is in both."""
    by_classification = pl.any_horizontal(pl.col(BOUNDS).is_not_null())
    by_notes = pl.any_horizontal(pl.col(f"{bound}_added").is_not_null() for bound in BOUNDS)
    source = (
        pl.when(by_classification & by_notes)
        .then(pl.lit("both"))
        .when(by_classification)
        .then(pl.lit("classification"))
        .otherwise(pl.lit("train notes"))
    )
    return (
        kept.join(added, on="code", how="full", coalesce=True, suffix="_added")
        .filter(by_classification | by_notes)
        .select("code", *(pl.coalesce(bound, f"{bound}_added") for bound in BOUNDS), source=source)
        .sort("code")
    )


def find_demographics(
    space: pl.DataFrame, bounds: pl.DataFrame, labels: pl.DataFrame, notes: pl.DataFrame
) -> tuple[pl.DataFrame, int]:
    """Return the table `plan/demographics`, sorted, and how many codes' bounds were dropped.

    Before: 650 is F, 9 to 65 years by the classification; 600 patients have 401.9, none of them
    below 18. After: (650, F, 9, 65, classification), (401.9, null, 18, null, train notes).

    Args:
        space: the label space: columns version, code, kind.
        bounds: see :func:`longtail_icd.plan.bounds.read_bounds`.
        labels: a table `corpus/labels`, train split.
        notes: note_id, patient_id, sex, age of the train split.
    """
    patients = first_notes(labels.join(space, on="code", how="semi"), notes)
    everyone = notes.sort("age", "note_id", nulls_last=True).unique("patient_id", keep="first")
    classified = classified_bounds(space, bounds)
    kept = drop_contradicted(classified, patients)
    dropped = classified.join(kept, on=["code", *BOUNDS], how="anti", nulls_equal=True)
    added = observed_bounds(patients, everyone).join(
        classified, on="code", how="left", suffix="_given", maintain_order="left"
    )
    no_age_given = pl.all_horizontal(pl.col("age_low_given", "age_high_given").is_null())
    added = added.select(
        "code",
        sex=pl.when(pl.col("sex_given").is_null()).then("sex"),
        age_low=pl.when(no_age_given).then("age_low"),
        age_high=pl.when(no_age_given).then("age_high"),
    )
    return _merge(kept, added), len(dropped)


def summary(demographics: pl.DataFrame, dropped: int) -> str:
    """Return one line for the log: bound codes by source, and bounds that were dropped."""
    counts = demographics["source"].value_counts().sort("source").iter_rows()
    parts = "".join(f"; by {source} {count}" for source, count in counts)
    return (
        f"{len(demographics)} codes of one sex or age only{parts}; {dropped} codes whose bounds "
        "the train notes contradict are left open"
    )
