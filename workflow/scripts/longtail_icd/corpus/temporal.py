"""A split by time: models learn from the past and are tested on patients seen last."""

import polars as pl

from longtail_icd.common.errors import UserError

SHIFTED = 2100  # MIMIC moves every patient's dates, by another span each, into this century


def _check_times(notes: pl.DataFrame) -> None:
    missing = notes["time"].null_count()
    if missing:
        raise UserError(
            f"corpus.split.method: temporal: {missing} of {notes.height} documents have no time; "
            "give every document a time, or set method: patient or stratified"
        )
    if notes.height and notes["time"].dt.year().max() >= SHIFTED:
        print(
            "warning: dates after 2100, so they are shifted, as in MIMIC: by another span for each "
            "patient. Between patients the order of such dates means nothing"
        )


def split_by_time(notes: pl.DataFrame, dev: float, test: float) -> pl.DataFrame:
    """Assign each note to a split by its patient, and each patient by the last admission.

    The patients whose last admission is latest are the test split, those before them dev. So no
    document of train is later than the first test patient's last admission: training knows
    nothing of the time that is tested. Earlier admissions of test patients stay in test.

    Args:
        notes: note_id, patient_id, time (of admission); their order does not matter.
        dev: share of patients.
        test: share of patients.

    Returns:
        note_id, split.

    Raises:
        UserError: documents without a time.
    """
    _check_times(notes)
    patients = notes.group_by("patient_id").agg(pl.col("time").max()).sort("time", "patient_id")
    count = patients.height
    n_test, n_dev = round(test * count), round(dev * count)
    names = ["train"] * (count - n_dev - n_test) + ["dev"] * n_dev + ["test"] * n_test
    split_of = patients.with_columns(split=pl.Series(names, dtype=pl.String))
    _print_spans(notes.join(split_of.select("patient_id", "split"), on="patient_id"))
    return notes.join(split_of, on="patient_id", maintain_order="left").select("note_id", "split")


def _print_spans(notes: pl.DataFrame) -> None:
    """Print from when to when each split's admissions are, and how far test reaches back."""
    start = notes.group_by("patient_id", "split").agg(pl.col("time").max())
    start = start.filter(split="test")["time"].min()
    for split, first, last in (
        notes.group_by("split")
        .agg(first=pl.col("time").min(), last=pl.col("time").max())
        .sort("first", "split")
        .iter_rows()
    ):
        print(f"{split}: admissions from {first:%Y-%m-%d} to {last:%Y-%m-%d}")
    if start is not None:
        early = notes.filter(pl.col("split") == "test", pl.col("time") < start).height
        print(f"test documents earlier than the first test patient's last admission: {early}")
