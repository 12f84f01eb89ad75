"""The known traps of the tables of MIMIC, one test each, in the order the project lists them."""

import polars as pl
import pytest
from corpus_files import (
    CODES,
    NOTES,
    hospital,
    hospital_4,
    note,
    prepared,
    raw_table,
    summaries,
)
from longtail_icd.common.codes import dotted
from longtail_icd.corpus import prepared_notes
from longtail_icd.corpus.mimic3 import read_labels
from longtail_icd.corpus.text_store import TextStore


def _edin(least=1):
    return {"rules": "edin", "min_documents": least, "recount": False}


def test_trap_1_procedure_codes_read_as_numbers_would_lose_their_zero(tmp_path):
    """0117 and 117 are two codes, 01.17 and 11.7; as integers they would be one."""
    raw_table(tmp_path, "PROCEDURES_ICD", CODES, ["1,1,100,1,0117", "2,1,100,2,117"])
    labels, _ = read_labels(tmp_path, ["procedure"])
    assert labels["code"].to_list() == ["01.17", "11.7"]


def test_trap_2_dots_go_by_system_and_kind(tmp_path):
    """Undotted, 3893 is a procedure and 3893 a diagnosis; short codes get no trailing dot."""
    folder = hospital(
        tmp_path / "h",
        [note(1, 100, "x")],
        ["100,1,3893", "100,2,E8782", "100,3,E849", "100,4,585", "100,5,V4581"],
        ["100,1,3893", "100,2,01"],
    )
    _, labels, _ = prepared(folder, tmp_path)
    assert labels.select("kind", "code").rows() == [
        ("diagnosis", "389.3"),
        ("diagnosis", "E878.2"),
        ("diagnosis", "E849"),
        ("diagnosis", "585"),
        ("diagnosis", "V45.81"),
        ("procedure", "38.93"),
        ("procedure", "01"),
    ]
    short = pl.DataFrame({"code": ["I10"]}).select(dotted(pl.col("code"), "icd10cm", "diagnosis"))
    assert short.item() == "I10"


def test_trap_3_repeated_rows_count_once_and_a_null_is_no_code(tmp_path):
    rows = ["1,1,100,1,0117", "2,1,100,3,0117", "3,1,100,2,", "4,1,100,4,  "]
    raw_table(tmp_path, "PROCEDURES_ICD", CODES.lower(), rows)
    labels, counts = read_labels(tmp_path, ["procedure"])
    assert labels.select("code", "position").rows() == [("01.17", 1)]
    assert counts == {
        "procedure_rows": 4,
        "procedure_without_code": 2,
        "procedure_repeated": 1,
    }


def test_trap_4_codes_without_a_title_table_stay(tmp_path):
    """144 diagnoses and 16 procedures in use are not in D_ICD_*, which is not read here."""
    folder = hospital(tmp_path / "h", [note(1, 100, "x")], ["100,1,71970"], ["100,1,3601"])
    assert not list(folder.glob("D_ICD_*"))
    assert prepared(folder, tmp_path)[1]["code"].to_list() == ["719.70", "36.01"]


def test_trap_5_addenda_and_second_reports_join_their_admission_in_an_explicit_order(tmp_path):
    """Joined by HADM_ID, not by patient; in whatever order the rows come."""
    rows = [
        note(3, 100, "addendum", kind="Addendum"),
        note(2, 100, "second report"),
        note(4, 101, "another stay of the same patient"),
        note(1, 100, "first report"),
    ]
    documents, counts = summaries(raw_table(tmp_path, "NOTEEVENTS", NOTES, rows), tmp_path)
    assert documents["text"].to_list() == [
        "first report\nsecond report\naddendum",
        "another stay of the same patient",
    ]
    assert counts["note_addenda"] == 1


@pytest.mark.parametrize(("rules", "documents"), [("mullenbach", 3), ("edin", 2), ("nguyen", 2)])
def test_trap_6_documents_without_codes_belong_to_one_split_family_only(tmp_path, rules, documents):
    """Mullenbach's 52,726 hold four documents without codes; Edin's 52,722 do not."""
    notes = [note(1, 100, "x"), note(2, 101, "y"), note(3, 102, "z")]
    folder = hospital(tmp_path / "h", notes, ["100,1,4019", "101,1,4019"])
    labels = {"rules": rules, "min_documents": 1, "recount": False}
    table, _, done = prepared(folder, tmp_path, labels=labels)
    assert table.height == documents
    counts = done.counts
    left_out = counts.get("documents_without_codes_dropped", 0)
    assert counts["documents_without_codes"] + left_out == 1


def test_trap_7_texts_are_read_a_group_of_documents_at_a_time(tmp_path, monkeypatch):
    """Grouping whole tables of text does not fit in 32 GB on MIMIC-IV."""
    monkeypatch.setattr(prepared_notes, "GROUP", 10)
    asked = []
    read = TextStore.read

    def watched(self, rows):
        asked.append(len(rows))
        return read(self, rows)

    monkeypatch.setattr(TextStore, "read", watched)
    notes = [note(row, row // 2, f"text {row}") for row in range(200)]
    folder = hospital(tmp_path / "h", notes, [f"{one},1,4019" for one in range(100)])
    table, _, _ = prepared(folder, tmp_path)
    assert table.height == 100
    assert sum(asked) == 200
    assert max(asked) == 20


def test_trap_8_mimic4_codes_are_padded_and_of_two_versions(tmp_path):
    """An admission is coded in one version; codes come padded to seven characters."""
    stay = "DS,1,2110-05-02 00:00:00,"
    notes = [f'"a",1,10,{stay},"new"', f'"b",2,20,{stay},"old"', f'"c",2,21,{stay},"uncoded"']
    codes = ["1,10,1,E119   ,10", "1,10,2,E119,10", "2,20,1,25000  ,9"]
    folder = hospital_4(tmp_path / "h", notes, codes)
    table, labels, _ = prepared(folder, tmp_path, "mimic4", edition="icd10", labels=_edin())
    assert table["text"].to_list() == ["new"]
    assert labels["code"].to_list() == ["E11.9"]
    table, labels, _ = prepared(folder, tmp_path, "mimic4", edition="icd9", labels=_edin())
    assert table["text"].to_list() == ["old"]
    assert labels["code"].to_list() == ["250.00"]


def test_trap_9_codes_that_version_32_has_divided_stay_as_they_were_given(tmp_path):
    """141 diagnoses in use are parents in V32: they are nodes, not errors."""
    parents = ["100,1,5185", "100,2,2765", "100,3,7806", "100,4,585"]
    folder = hospital(tmp_path / "h", [note(1, 100, "x")], parents)
    _, labels, done = prepared(folder, tmp_path)
    assert labels["code"].to_list() == ["518.5", "276.5", "780.6", "585"]
    assert done.counts["diagnosis_kept"] == 4


def test_trap_10_icd_10_codes_changed_since_stay_as_they_were_given(tmp_path):
    """E872 and N183 are no leaves any more; the terminology has their titles."""
    notes = ['"a",1,10,DS,1,2110-05-02 00:00:00,,"x"']
    folder = hospital_4(tmp_path / "h", notes, ["1,10,1,E872,10", "1,10,2,N183,10"])
    _, labels, _ = prepared(folder, tmp_path, "mimic4", edition="icd10")
    assert labels["code"].to_list() == ["E87.2", "N18.3"]
