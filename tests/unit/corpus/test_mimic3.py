"""MIMIC-III's tables become one note per admission and its codes, by the rules of docs/data.md."""

import gzip
import json
import os
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.corpus import raw_tables
from longtail_icd.corpus.discharge_summaries import read_summaries
from longtail_icd.corpus.manifest import build_manifest
from longtail_icd.corpus.mimic3 import read_admissions, read_labels, read_mimic3
from longtail_icd.corpus.prepare import prepare
from longtail_icd.corpus.raw_files import find_table

BOTH = ["diagnosis", "procedure"]
NOTES = (
    "ROW_ID,SUBJECT_ID,HADM_ID,CHARTDATE,CHARTTIME,STORETIME,CATEGORY,DESCRIPTION,CGID,ISERROR,TEXT"
)
ADMISSIONS = "ROW_ID,SUBJECT_ID,HADM_ID,ADMITTIME"
PATIENTS = "ROW_ID,SUBJECT_ID,GENDER,DOB"
CODES = "ROW_ID,SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE"
SUMMARY = "Discharge summary"


def _table(folder, name, header, rows, ending=".csv.gz"):
    path = folder / f"{name}{ending}"
    content = "".join(f"{line}\n" for line in [header, *rows]).encode()
    path.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
    return path


def _note(row, admission, text, category=SUMMARY, kind="Report", date="2101-01-02", error=""):
    return f'{row},1,{admission},{date},,,{category},{kind},,{error},"{text}"'


def _hospital(folder):
    """Write two patients with three admissions, one of which has no summary."""
    _table(
        folder,
        "NOTEEVENTS",
        NOTES,
        [_note(1, 100, "Cough."), _note(2, 101, "Secret words."), _note(3, 100, "ECG", "ECG")],
    )
    _table(
        folder,
        "ADMISSIONS",
        ADMISSIONS,
        [
            "1,1,100,2101-01-01 10:00:00",
            "2,1,101,2102-01-01 10:00:00",
            "3,2,102,2101-05-01 00:00:00",
        ],
    )
    _table(
        folder,
        "PATIENTS",
        PATIENTS,
        ["1,1,F,2051-01-01 00:00:00", "2,2,M,1801-05-01 00:00:00"],
    )
    _table(folder, "DIAGNOSES_ICD", CODES, ["1,1,100,1,4019", "2,2,102,1,0389"])
    _table(folder, "PROCEDURES_ICD", CODES, ["1,1,100,1,0117"])
    return folder


def test_notes_of_an_admission_are_joined_reports_first_then_by_time_and_row(tmp_path):
    path = _table(
        tmp_path,
        "NOTEEVENTS",
        NOTES,
        [
            _note(9, 100, "addendum", kind="Addendum", date="2101-01-01"),
            _note(10, 100, "later", date="2101-01-03"),
            _note(8, 100, "same day, row 8"),
            _note(7, 100, "same day, row 7"),
        ],
    )
    documents, counts = read_summaries(path)
    assert documents["text"].to_list() == ["same day, row 7\nsame day, row 8\nlater\naddendum"]
    assert counts["note_addenda"] == 1


def test_rows_number_by_value_not_as_strings(tmp_path):
    path = _table(tmp_path, "NOTEEVENTS", NOTES, [_note(10, 100, "ten"), _note(9, 100, "nine")])
    assert read_summaries(path)[0]["text"].item() == "nine\nten"


def test_only_valid_discharge_summaries_of_an_admission_are_kept_and_all_else_counted(tmp_path):
    path = _table(
        tmp_path,
        "NOTEEVENTS",
        NOTES,
        [
            _note(1, 100, "kept", category="Discharge summary "),
            _note(2, 100, "nursing", category="Nursing"),
            _note(3, 100, "error", error="1"),
            _note(4, "", "no admission"),
            _note(5, "101.0", "id as a float"),
        ],
    )
    documents, counts = read_summaries(path)
    assert documents.rows() == [("100", "1", "kept"), ("101", "1", "id as a float")]
    assert counts == {
        "note_rows": 5,
        "note_other_category": 1,
        "note_marked_as_error": 1,
        "note_without_admission": 1,
        "note_kept": 2,
        "note_addenda": 0,
    }


def test_a_note_keeps_its_line_breaks_quotes_and_commas(tmp_path):
    path = _table(tmp_path, "NOTEEVENTS", NOTES, [_note(1, 100, 'a,\n\n""b""\nc')])
    assert read_summaries(path)[0]["text"].item() == 'a,\n\n"b"\nc'


def test_notes_that_cross_a_block_are_whole(tmp_path, monkeypatch):
    """The table is read in blocks; a note may lie across two of them."""
    monkeypatch.setattr(raw_tables, "BLOCK", 1 << 12)
    texts = [f"line\n{number}\n" * (number % 90 + 1) for number in range(200)]
    rows = [_note(number, number, text) for number, text in enumerate(texts)]
    documents, _ = read_summaries(_table(tmp_path, "NOTEEVENTS", NOTES, rows))
    assert dict(documents.select("note_id", "text").rows()) == {
        str(number): text for number, text in enumerate(texts)
    }


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_either_ending_and_either_case_of_the_header(tmp_path, ending):
    _table(tmp_path, "PROCEDURES_ICD", CODES.lower(), ["1,1,100,1,0117"], ending)
    labels, _ = read_labels(tmp_path, ["procedure"])
    assert labels["code"].to_list() == ["01.17"]
    assert find_table(tmp_path, "PROCEDURES_ICD").name == f"PROCEDURES_ICD{ending}"


def test_codes_are_dotted_by_kind_and_numbered_in_the_order_of_the_source(tmp_path):
    _table(
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
    prepared = prepare("mimic3", _hospital(tmp_path), BOTH, "discharge", "en")
    assert prepared.notes["note_id"].to_list() == ["100", "101"]
    assert prepared.notes["patient_id"].to_list() == ["1", "1"]
    assert prepared.notes["official_split"].to_list() == [None, None]
    assert prepared.labels["code"].to_list() == ["401.9", "01.17"]
    assert prepared.counts["documents_without_codes"] == 1
    assert prepared.counts["diagnosis_without_document"] == 1
    assert prepared.counts["diagnosis_kept"] == 1


def test_without_notes_every_admission_is_a_document_with_an_empty_text(tmp_path):
    folder = _hospital(tmp_path)
    (folder / "NOTEEVENTS.csv.gz").unlink()
    prepared = prepare("mimic3", folder, ["diagnosis"], "none", "en")
    assert prepared.notes.select("note_id", "text").rows() == [
        ("100", ""),
        ("101", ""),
        ("102", ""),
    ]
    assert set(prepared.labels["kind"]) == {"diagnosis"}


def test_a_note_whose_admission_has_no_row_is_kept_and_counted(tmp_path):
    folder = _hospital(tmp_path)
    _table(folder, "ADMISSIONS", ADMISSIONS, ["1,1,100,2101-01-01 10:00:00"])
    prepared = read_mimic3(folder, BOTH, "discharge")
    assert prepared.notes.filter(note_id="101").select("patient_id", "age").row(0) == ("1", None)
    assert prepared.counts["documents_without_admission_row"] == 1


def test_the_manifest_tells_bytes_and_rows_and_quotes_nothing(tmp_path):
    folder = _hospital(tmp_path)
    settings = {"adapter": "mimic3", "notes": "discharge", "kinds": BOTH, "language": "en"}
    prepared = prepare(folder=folder, **settings)
    files = {"PATIENTS": folder / "PATIENTS.csv.gz"}
    manifest = build_manifest(prepared, files, settings)
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
def test_the_open_demo_without_notes():
    folder = Path(os.environ["LONGTAIL_ICD_TEST_DATA"]) / "mimic3demo"
    prepared = prepare("mimic3", folder, BOTH, "none", "en")
    counts = prepared.counts
    assert (counts["diagnosis_rows"], counts["procedure_rows"]) == (1761, 506)
    assert (counts["diagnosis_repeated"], counts["procedure_repeated"]) == (0, 20)
    assert (counts["diagnosis_kept"], counts["procedure_kept"]) == (1761, 486)
    assert prepared.notes.height == 129
    assert prepared.notes["patient_id"].n_unique() == 100
    assert prepared.notes["age"].is_between(0, 90).all()
    # A code table read as integers would have lost the zero of these.
    procedures = prepared.labels.filter(kind="procedure")
    assert procedures.filter(pl.col("code").str.starts_with("0")).height > 0
    with pytest.raises(UserError, match=r"corpus.notes: none"):
        prepare("mimic3", folder, BOTH, "discharge", "en")
