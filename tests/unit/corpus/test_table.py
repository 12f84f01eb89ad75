"""A hospital's own table, CSV or Parquet, becomes the same corpus."""

import polars as pl
from corpus_files import prepared

CSV = '''note_id,patient_id,text,codes,kind,time,sex,age,split
b,2,"Fever,
""high""",R50.9,,2024-01-02 03:04:05,f,40,test
a,1,Chest pain.,i219; I10;I10;,,,,,train
a,1,,0DTJ4ZZ,procedure,,,,
c,1,,I10,,,,,dev
'''


def _csv(tmp_path, content=CSV):
    path = tmp_path / "notes.csv"
    path.write_text(content)
    return path


def test_a_csv_table(tmp_path):
    notes, labels, done = prepared(_csv(tmp_path), tmp_path, "table", edition="icd10")
    assert notes.select("note_id", "patient_id", "sex", "age", "official_split", "text").rows() == [
        ("a", "1", None, None, "train", "Chest pain."),
        ("b", "2", "F", 40.0, "test", 'Fever,\n"high"'),
        ("c", "1", None, None, "dev", ""),
    ]
    assert notes["time"].to_list()[1].isoformat() == "2024-01-02T03:04:05"
    assert labels.select("note_id", "code", "version", "position").rows() == [
        ("a", "I21.9", "icd10cm", 1),
        ("a", "I10", "icd10cm", 2),
        ("a", "0DTJ4ZZ", "icd10pcs", 1),
        ("b", "R50.9", "icd10cm", 1),
        ("c", "I10", "icd10cm", 1),
    ]
    assert done.counts["diagnosis_rows"] == 6
    assert done.counts["diagnosis_without_code"] == 1
    assert done.counts["diagnosis_repeated"] == 1
    assert done.counts["documents_without_text"] == 1


def test_a_parquet_table_with_lists_and_numbers(tmp_path):
    path = tmp_path / "notes.parquet"
    pl.DataFrame(
        {
            "note_id": [2, 1],
            "patient_id": [7, 7],
            "text": ["two", "one"],
            "codes": [["0117"], ["117", "0117"]],
            "version": ["icd9cm", "ICD9CM"],
            "kind": ["procedure", "procedure"],
            "age": [71.5, 70.0],
        }
    ).write_parquet(path)
    notes, labels, _ = prepared(path, tmp_path, "table", ["procedure"])
    assert notes.select("note_id", "patient_id", "text", "age").rows() == [
        ("1", "7", "one", 70.0),
        ("2", "7", "two", 71.5),
    ]
    assert labels.select("note_id", "code").rows() == [
        ("1", "11.7"),
        ("1", "01.17"),
        ("2", "01.17"),
    ]


def test_one_row_per_code(tmp_path):
    content = "note_id,patient_id,text,codes\na,1,same,I10\na,1,same,E119\n"
    notes, labels, _ = prepared(_csv(tmp_path, content), tmp_path, "table", edition="icd10")
    assert notes["text"].to_list() == ["same"]
    assert labels["code"].to_list() == ["E11.9", "I10"]


def test_kinds_not_asked_for_stay_out(tmp_path):
    _, labels, _ = prepared(_csv(tmp_path), tmp_path, "table", ["diagnosis"], edition="icd10")
    assert set(labels["kind"]) == {"diagnosis"}


def test_the_separator_is_a_choice_and_texts_can_be_left_out(tmp_path):
    content = "note_id,patient_id,codes\na,1,I10|E119\n"
    notes, labels, _ = prepared(
        _csv(tmp_path, content),
        tmp_path,
        "table",
        edition="icd10",
        code_separator="|",
        notes="none",
    )
    assert notes["text"].to_list() == [""]
    assert labels["code"].to_list() == ["I10", "E11.9"]
