"""A split is a partition without shared patients, and the tables of each split hold its own."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.corpus.split import assign_splits, codes_of, split_by_patient
from snakemake.iocontainers import InputFiles

SCRIPT = Path(__file__).parents[3] / "workflow" / "scripts" / "split_corpus.py"
SPLITS = ("train", "dev", "test")


def _notes(patients, official=None):
    return pl.DataFrame(
        {
            "note_id": [f"n{number}" for number in range(len(patients))],
            "patient_id": [str(patient) for patient in patients],
            "official_split": official or [None] * len(patients),
        },
        schema_overrides={"official_split": pl.String},
    )


STAYS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), min_size=3, max_size=80)


@pytest.mark.parametrize("method", ["patient", "stratified", "temporal", "official"])
@settings(deadline=None)
@given(STAYS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_no_patient_in_two_splits_and_no_order_of_rows_matters(method, stays, seed, shuffle):
    """Of every method: a split, if there is one, or one clear error."""
    notes = _notes([patient for patient, _ in stays]).with_columns(
        time=pl.datetime(2020, 1, pl.Series([1 + day for _, day in stays])),
        official_split=pl.Series([SPLITS[patient % 3] for patient, _ in stays]),
    )
    labels = pl.DataFrame(
        {"note_id": notes["note_id"], "code": [str(day) for _, day in stays], "version": "v"}
    )
    try:
        assigned = assign_splits(notes, method, 0.2, 0.3, seed, {}, labels)
    except UserError as error:
        assert "split is empty" in str(error)
        return
    assert sorted(assigned["note_id"]) == sorted(notes["note_id"])
    of_patient = notes.join(assigned, on="note_id").group_by("patient_id")
    assert of_patient.agg(pl.col("split").n_unique())["split"].max() == 1
    order = list(range(notes.height))
    shuffle.shuffle(order)
    again = assign_splits(notes[order], method, 0.2, 0.3, seed, {}, labels[order[::-1]])
    assert again.sort("note_id").equals(assigned.sort("note_id"))


@settings(deadline=None)
@given(st.integers(1, 400), st.floats(0, 0.45), st.floats(0, 0.45), st.integers(0, 9))
def test_shares_are_within_one_patient_of_what_was_asked(patients, dev, test, seed):
    assigned = split_by_patient(_notes(range(patients)), dev, test, seed)
    counts = dict(assigned["split"].value_counts().rows())
    assert abs(counts.get("dev", 0) - dev * patients) <= 1
    assert abs(counts.get("test", 0) - test * patients) <= 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=100), st.data())
def test_patient_split_is_a_partition_disjoint_by_patient_and_stable(patients, data):
    notes = _notes(patients)
    seed = data.draw(st.integers(0, 9))
    assigned = split_by_patient(notes, 0.1, 0.3, seed)
    assert sorted(assigned["note_id"]) == sorted(notes["note_id"])
    assert set(assigned["split"]) <= set(SPLITS)
    of_patient = notes.join(assigned, on="note_id").group_by("patient_id")
    assert of_patient.agg(pl.col("split").n_unique())["split"].max() == 1
    order = data.draw(st.permutations(range(notes.height)))
    again = split_by_patient(notes[order], 0.1, 0.3, seed)
    assert again.sort("note_id").equals(assigned.sort("note_id"))


def test_shares_are_of_patients_and_the_seed_counts():
    notes = _notes(list(range(100)) + [0] * 50)
    assigned = notes.join(split_by_patient(notes, 0.1, 0.3, 1), on="note_id")
    patients = assigned.group_by("split").agg(pl.col("patient_id").n_unique())
    assert dict(patients.rows()) == {"train": 60, "dev": 10, "test": 30}
    assert not split_by_patient(notes, 0.1, 0.3, 2).equals(split_by_patient(notes, 0.1, 0.3, 1))


def test_official_split_of_the_source():
    notes = _notes("abcd", ["train", "dev", "test", None])
    assigned = assign_splits(notes, "official", 0, 0, 1, {})
    assert assigned.rows() == [("n0", "train"), ("n1", "dev"), ("n2", "test")]


def test_codes_are_listed_once_and_sorted():
    one = pl.DataFrame({"version": ["v", "v"], "code": ["b", "a"], "kind": ["k", "k"]})
    assert codes_of([one, one])["code"].to_list() == ["a", "b"]


@pytest.fixture
def prepared(tmp_path):
    """Return the prepared tables of twelve documents, two codes each, one shared by all."""
    notes = _notes([number // 2 for number in range(12)]).with_columns(
        time=pl.lit(None, dtype=pl.Datetime("us")),
        sex=pl.lit("F"),
        age=pl.lit(50.0),
        text=pl.format("text of {}", "note_id"),
    )
    labels = pl.DataFrame(
        [
            {"note_id": note, "code": code, "version": "icd9cm", "kind": "diagnosis", "position": p}
            for note in notes["note_id"]
            for p, code in enumerate(["401.9", f"{note[1:]:0>3}.1"], start=1)
        ],
        schema_overrides={"position": pl.Int32},
    )
    write_table(notes, tmp_path / "notes.parquet", "corpus/prepared_notes")
    write_table(labels, tmp_path / "labels.parquet", "corpus/labels")
    return tmp_path


def test_the_rule_writes_each_split_its_own_notes_and_labels(prepared):
    output = SimpleNamespace(
        notes=[prepared / f"notes_{split}.parquet" for split in SPLITS],
        labels=[prepared / f"labels_{split}.parquet" for split in SPLITS],
        codes=prepared / "codes.parquet",
    )
    snakemake = SimpleNamespace(
        input=InputFiles(fromdict={n: str(prepared / f"{n}.parquet") for n in ("notes", "labels")}),
        output=output,
        params=SimpleNamespace(split={"method": "patient", "dev": 0.2, "test": 0.3, "seed": 1}),
    )
    runpy.run_path(str(SCRIPT))["main"](snakemake)
    notes = [read_table(path, "corpus/notes") for path in output.notes]
    labels = [read_table(path, "corpus/labels") for path in output.labels]
    assert [part.height for part in notes] == [6, 2, 4]
    for of_notes, of_labels in zip(notes, labels, strict=True):
        assert set(of_labels["note_id"]) == set(of_notes["note_id"])
        assert of_notes["text"].to_list() == [f"text of {note}" for note in of_notes["note_id"]]
    codes = read_table(output.codes, "corpus/codes")["code"].to_list()
    assert codes == sorted(codes)
    assert len(codes) == 13
