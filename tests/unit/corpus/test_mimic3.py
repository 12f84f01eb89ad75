"""MIMIC-III's tables become one note per admission and its codes, by the rules of docs/data.md."""

import json
import os
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from corpus_files import (
    ADMISSIONS,
    BOTH,
    CODES,
    NOTES,
    note,
    prepared,
    raw_table,
    summaries,
)
from corpus_files import hospital as write_hospital
from longtail_icd.common.errors import UserError
from longtail_icd.corpus import raw_tables
from longtail_icd.corpus.manifest import build_manifest
from longtail_icd.corpus.mimic3 import read_admissions, read_labels
from longtail_icd.corpus.raw_files import find_table


def _hospital(folder):
    """Write two patients with three admissions, one of which has no summary."""
    return write_hospital(
        folder / "hospital",
        [note(1, 100, "Cough."), note(2, 101, "Secret words."), note(3, 100, "ECG", "ECG")],
        diagnoses=["100,1,4019", "102,1,0389"],
        procedures=["100,1,0117"],
        admissions=[
            "1,1,100,2101-01-01 10:00:00",
            "2,1,101,2102-01-01 10:00:00",
            "3,2,102,2101-05-01 00:00:00",
        ],
        patients=["1,1,F,2051-01-01 00:00:00", "2,2,M,1801-05-01 00:00:00"],
    )


def test_notes_of_an_admission_are_joined_reports_first_then_by_time_and_row(tmp_path):
    path = raw_table(
        tmp_path,
        "NOTEEVENTS",
        NOTES,
        [
            note(9, 100, "addendum", kind="Addendum", date="2101-01-01"),
            note(10, 100, "later", date="2101-01-03"),
            note(8, 100, "same day, row 8"),
            note(7, 100, "same day, row 7"),
        ],
    )
    documents, counts = summaries(path, tmp_path)
    assert documents["text"].to_list() == ["same day, row 7\nsame day, row 8\nlater\naddendum"]
    assert counts["note_addenda"] == 1


def test_rows_number_by_value_not_as_strings(tmp_path):
    path = raw_table(tmp_path, "NOTEEVENTS", NOTES, [note(10, 100, "ten"), note(9, 100, "nine")])
    assert summaries(path, tmp_path)[0]["text"].item() == "nine\nten"


def test_only_valid_discharge_summaries_of_an_admission_are_kept_and_all_else_counted(tmp_path):
    path = raw_table(
        tmp_path,
        "NOTEEVENTS",
        NOTES,
        [
            note(1, 100, "kept", category="Discharge summary "),
            note(2, 100, "nursing", category="Nursing"),
            note(3, 100, "error", error="1"),
            note(4, "", "no admission"),
            note(5, "101.0", "id as a float"),
        ],
    )
    documents, counts = summaries(path, tmp_path)
    assert documents.rows() == [("100", "1", "kept"), ("101", "1", "id as a float")]
    assert counts == {
        "note_rows": 5,
        "note_other_category": 1,
        "note_marked_as_error": 1,
        "note_without_admission": 1,
        "note_kept": 2,
        "note_addenda": 0,
        "note_identical_dropped": 0,
    }


def test_a_note_keeps_its_line_breaks_quotes_and_commas(tmp_path):
    path = raw_table(tmp_path, "NOTEEVENTS", NOTES, [note(1, 100, 'a,\n\n""b""\nc')])
    assert summaries(path, tmp_path)[0]["text"].item() == 'a,\n\n"b"\nc'


def test_notes_that_cross_a_block_are_whole(tmp_path, monkeypatch):
    """The table is read in blocks; a note may lie across two of them."""
    monkeypatch.setattr(raw_tables, "BLOCK", 1 << 12)
    texts = [f"line\n{number}\n" * (number % 90 + 1) for number in range(200)]
    rows = [note(number, number, text) for number, text in enumerate(texts)]
    documents, _ = summaries(raw_table(tmp_path, "NOTEEVENTS", NOTES, rows), tmp_path)
    assert dict(documents.select("note_id", "text").rows()) == {
        str(number): text for number, text in enumerate(texts)
    }


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_either_ending_and_either_case_of_the_header(tmp_path, ending):
    raw_table(tmp_path, "PROCEDURES_ICD", CODES.lower(), ["1,1,100,1,0117"], ending)
    labels, _ = read_labels(tmp_path, ["procedure"])
    assert labels["code"].to_list() == ["01.17"]
    assert find_table(tmp_path, "PROCEDURES_ICD").name == f"PROCEDURES_ICD{ending}"


def test_codes_are_dotted_by_kind_and_numbered_in_the_order_of_the_source(tmp_path):
    raw_table(
        tmp_path,
        "DIAGNOSES_ICD",
        CODES,
        ["1,1,100,10,V4581", "2,1,100,2,E8782", "3,1,100,1,0389", "4,1,100,3,0389", "5,1,9,1,585"],
    )
    labels, _ = read_labels(tmp_path, ["diagnosis"])
    assert labels.filter(note_id="100").select("code", "position").rows() == [
        ("038.9", 1),
        ("E878.2", 2),
        ("V45.81", 3),
    ]
    assert labels.filter(note_id="9").select("code", "position").rows() == [("585", 1)]


def test_age_is_that_at_admission_and_shifted_births_are_90(tmp_path):
    admissions = read_admissions(_hospital(tmp_path))
    assert admissions.select("note_id", "sex", "age").rows() == [
        ("100", "F", 50.0),
        ("101", "F", 51.0),
        ("102", "M", 90.0),
    ]
    assert admissions["time"][0] == datetime(2101, 1, 1, 10)


def test_documents_without_codes_stay_and_codes_without_document_go(tmp_path):
    notes, labels, done = prepared(_hospital(tmp_path), tmp_path)
    assert notes["note_id"].to_list() == ["100", "101"]
    assert notes["patient_id"].to_list() == ["1", "1"]
    assert notes["official_split"].to_list() == [None, None]
    assert labels["code"].to_list() == ["401.9", "01.17"]
    assert done.counts["documents_without_codes"] == 1
    assert done.counts["diagnosis_without_document"] == 1
    assert done.counts["diagnosis_kept"] == 1
    assert notes.drop("text").equals(done.notes.select(notes.drop("text").columns))


def test_without_notes_every_admission_is_a_document_with_an_empty_text(tmp_path):
    folder = _hospital(tmp_path)
    (folder / "NOTEEVENTS.csv.gz").unlink()
    notes, labels, _ = prepared(folder, tmp_path, kinds=["diagnosis"], notes="none")
    assert notes.select("note_id", "text").rows() == [("100", ""), ("101", ""), ("102", "")]
    assert set(labels["kind"]) == {"diagnosis"}


def test_a_note_whose_admission_has_no_row_is_kept_and_counted(tmp_path):
    folder = _hospital(tmp_path)
    raw_table(folder, "ADMISSIONS", ADMISSIONS, ["1,1,100,2101-01-01 10:00:00"])
    notes, _, done = prepared(folder, tmp_path)
    assert notes.filter(note_id="101").select("patient_id", "age").row(0) == ("1", None)
    assert done.counts["documents_without_admission_row"] == 1


def test_every_code_row_is_kept_or_counted_under_one_reason(tmp_path):
    folder = write_hospital(
        tmp_path / "h",
        [note(1, 100, "a"), note(2, 101, "b")],
        ["100,1,4019", "100,2,4019", "100,3,", "101,1,4019", "101,2,0389", "7,1,4019"],
    )
    labels = {"rules": "edin", "min_documents": 2, "recount": False}
    counts = prepared(folder, tmp_path, kinds=["diagnosis"], labels=labels)[2].counts
    reasons = ["without_code", "repeated", "without_document", "rare", "kept"]
    assert [counts[f"diagnosis_{reason}"] for reason in reasons] == [1, 1, 1, 1, 2]
    assert counts["diagnosis_rows"] == 6


def test_the_manifest_tells_bytes_and_rows_and_quotes_nothing(tmp_path):
    folder = _hospital(tmp_path)
    settings = {"adapter": "mimic3", "notes": "discharge", "kinds": BOTH, "language": "en"}
    done = prepared(folder, tmp_path, **settings)[2]
    files = {"PATIENTS": folder / "PATIENTS.csv.gz"}
    manifest = build_manifest(done, files, settings)
    assert manifest["files"]["PATIENTS"]["bytes"] == files["PATIENTS"].stat().st_size
    assert len(manifest["files"]["PATIENTS"]["sha256"]) == 64
    assert manifest["documents"] == 2
    assert manifest["patients"] == 1
    assert manifest["labels"] == 2
    assert manifest["codes"] == {"diagnosis": 1, "procedure": 1}
    assert manifest["rows"]["note_rows"] == 3
    written = json.dumps(manifest)
    assert "Secret" not in written
    assert str(tmp_path) not in written


@pytest.mark.skipif(
    "LONGTAIL_ICD_TEST_DATA" not in os.environ, reason="LONGTAIL_ICD_TEST_DATA is not set"
)
def test_the_open_demo_without_notes(tmp_path):
    folder = Path(os.environ["LONGTAIL_ICD_TEST_DATA"]) / "mimic3demo"
    notes, labels, done = prepared(folder, tmp_path, notes="none")
    counts = done.counts
    assert (counts["diagnosis_rows"], counts["procedure_rows"]) == (1761, 506)
    assert (counts["diagnosis_repeated"], counts["procedure_repeated"]) == (0, 20)
    assert (counts["diagnosis_kept"], counts["procedure_kept"]) == (1761, 486)
    assert notes.height == 129
    assert notes["patient_id"].n_unique() == 100
    assert notes["age"].is_between(0, 90).all()
    # A code table read as integers would have lost the zero of these.
    procedures = labels.filter(kind="procedure")
    assert procedures.filter(pl.col("code").str.starts_with("0")).height > 0
    with pytest.raises(UserError, match=r"corpus.notes: none"):
        prepared(folder, tmp_path)
