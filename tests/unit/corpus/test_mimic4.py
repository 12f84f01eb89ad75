"""MIMIC-IV: the admissions of one edition of ICD, their notes and codes."""

from datetime import datetime

import pytest
from corpus_files import hospital_4, prepared
from longtail_icd.corpus.raw_files import find_mimic4_table, mimic4_tables

NOTES = [
    '"10-DS-1",1,10,DS,1,2108-05-02 00:00:00,2108-05-02 00:00:00,"Line one\n\nline ""two"""',
    '"11-AD-1",1,11,AD,2,2109-05-03 00:00:00,,"added"',
    '"11-DS-1",1,11,DS,1,2109-05-04 00:00:00,,"report"',
    '"20-DS-1",2,20,DS,1,2120-05-02 00:00:00,,"of ICD-9"',
    '"20-DS-2",2,,DS,1,2120-05-02 00:00:00,,"no admission"',
]
DIAGNOSES = [
    "1,10,2,I10    ,10",
    "1,10,1,E119   ,10",
    "1,10,3,I10    ,10",
    "1,11,1,N183   ,10",
    "2,20,1,4019   ,9",
    "2,21,1,I10    ,10",
]
PROCEDURES = ["1,10,1,2108-05-02,0DTJ4ZZ,10", "2,20,1,2120-05-02,0117   ,9"]


def _prepared(tmp_path, **settings):
    folder = hospital_4(tmp_path / "iv", NOTES, DIAGNOSES, PROCEDURES)
    return prepared(folder, tmp_path, "mimic4", **settings)


def test_documents_and_codes_of_icd_10(tmp_path):
    notes, labels, done = _prepared(tmp_path, edition="icd10")
    assert notes.select("note_id", "patient_id", "text").rows() == [
        ("10", "1", 'Line one\n\nline "two"'),
        ("11", "1", "report\nadded"),
    ]
    assert labels.select("note_id", "code", "version", "kind", "position").rows() == [
        ("10", "E11.9", "icd10cm", "diagnosis", 1),
        ("10", "I10", "icd10cm", "diagnosis", 2),
        ("10", "0DTJ4ZZ", "icd10pcs", "procedure", 1),
        ("11", "N18.3", "icd10cm", "diagnosis", 1),
    ]
    counts = done.counts
    assert (counts["note_rows"], counts["note_kept"], counts["note_addenda"]) == (5, 3, 1)
    assert counts["note_without_admission"] == 1
    assert counts["note_without_codes_of_version"] == 1
    assert counts["diagnosis_rows"] == 6
    assert counts["diagnosis_of_other_version"] == 1
    assert counts["diagnosis_repeated"] == 1
    assert counts["diagnosis_without_document"] == 1


def test_documents_and_codes_of_icd_9(tmp_path):
    notes, labels, _ = _prepared(tmp_path, edition="icd9")
    assert notes["text"].to_list() == ["of ICD-9"]
    assert labels["code"].to_list() == ["401.9", "01.17"]
    assert set(labels["version"]) == {"icd9cm"}


def test_age_is_that_at_admission_and_at_most_90(tmp_path):
    notes, _, _ = _prepared(tmp_path, edition="icd10", notes="none")
    assert notes.select("note_id", "sex", "age", "text").rows() == [
        ("10", "F", 52.0, ""),
        ("11", "F", 53.0, ""),
        ("21", "M", 90.0, ""),
    ]
    assert notes["time"][0] == datetime(2110, 5, 1, 10)


def test_tables_lie_in_their_modules_or_in_one_folder(tmp_path):
    folder = hospital_4(tmp_path / "iv", NOTES, DIAGNOSES)
    tables = mimic4_tables(["diagnosis"], "discharge")
    assert [find_mimic4_table(folder, table) for table in tables] == [
        folder / "note" / "discharge.csv.gz",
        folder / "hosp" / "diagnoses_icd.csv.gz",
        folder / "hosp" / "admissions.csv.gz",
        folder / "hosp" / "patients.csv.gz",
    ]
    assert find_mimic4_table(folder / "hosp", "patients").parent == folder / "hosp"


@pytest.mark.parametrize("rules", ["edin", "nguyen"])
def test_both_published_rules_apply(tmp_path, rules):
    labels = {"rules": rules, "min_documents": 1, "recount": False}
    notes, _, _ = _prepared(tmp_path, edition="icd10", text="edin", labels=labels)
    assert notes["text"].to_list() == ["line one line two", "report added"]
