"""A temporal split: training knows nothing of the time that is tested."""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.corpus.temporal import split_by_time

START = datetime(2020, 1, 1)


def _notes(stays):
    """Return the notes of stays, each (patient, day of admission)."""
    return pl.DataFrame(
        {
            "note_id": [f"n{number}" for number in range(len(stays))],
            "patient_id": [str(patient) for patient, _ in stays],
            "time": [START + timedelta(days=day) for _, day in stays],
        },
        schema_overrides={"time": pl.Datetime("us")},
    )


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 300)), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_no_document_of_train_is_later_than_a_later_splits_patients(stays, shuffle):
    notes = _notes(stays)
    assigned = split_by_time(notes, 0.2, 0.3)
    assert assigned["note_id"].to_list() == notes["note_id"].to_list()
    of_patient = (
        notes.join(assigned, on="note_id")
        .group_by("patient_id")
        .agg(pl.col("split").unique(), pl.col("time").max())
    )
    assert of_patient["split"].list.len().max() == 1
    last = of_patient.explode("split").group_by("split").agg(pl.col("time").sort())
    last = dict(last.rows())
    for earlier, later in (("train", "dev"), ("dev", "test"), ("train", "test")):
        if earlier in last and later in last:
            assert last[earlier][-1] <= last[later][0]
    patients = of_patient.height
    assert len(last.get("test", [])) == round(0.3 * patients)
    order = list(range(notes.height))
    shuffle.shuffle(order)
    again = split_by_time(notes[order], 0.2, 0.3)
    assert again.sort("note_id").equals(assigned.sort("note_id"))


def test_a_patient_belongs_to_the_split_of_the_last_admission(capsys):
    """Patient c came first of all and again at the end: test, with both stays."""
    notes = _notes([("c", 0), ("a", 1), ("b", 2), ("d", 3), ("c", 9)])
    assigned = split_by_time(notes, 0.25, 0.25)
    assert assigned["split"].to_list() == ["test", "train", "train", "dev", "test"]
    printed = capsys.readouterr().out
    assert "test: admissions from 2020-01-01 to 2020-01-10" in printed
    assert "earlier than the first test patient's last admission: 1" in printed


def test_shifted_dates_are_warned_of(capsys):
    """MIMIC's dates are shifted by patient: between patients their order means nothing."""
    split_by_time(_notes([("a", 1), ("b", 365 * 150)]), 0.0, 0.5)
    assert "warning: dates after 2100" in capsys.readouterr().out
