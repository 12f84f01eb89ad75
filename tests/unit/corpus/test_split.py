"""A split is a partition without shared patients, and the tables of each split hold its own."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.corpus.raw_files import find_ids
from longtail_icd.corpus.split import assign_splits, codes_of, read_ids, split_by_patient
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


def test_id_files_decide_and_strangers_are_counted(tmp_path, capsys):
    for split, content in {"train": "n0\nn9\n", "dev": "hadm_id\nn1\n", "test": "n2.0\n\n"}.items():
        (tmp_path / f"{split}_full_hadm_ids.csv").write_text(content)
    assigned = assign_splits(_notes("abcd"), "official", 0, 0, 1, find_ids(tmp_path))
    assert assigned.rows() == [("n0", "train"), ("n1", "dev"), ("n2", "test")]
    printed = capsys.readouterr().out
    assert "ids without a document in this corpus: 1" in printed
    assert "documents that no id file lists, dropped: 1" in printed


def test_an_empty_id_file_is_an_empty_table(tmp_path):
    (tmp_path / "ids.csv").write_text("\n")
    assert read_ids({"train": tmp_path / "ids.csv"}).height == 0


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
