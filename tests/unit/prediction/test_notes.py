"""The same notes come out of every format, in their order."""

import gzip
import io
import json
import sys
from types import SimpleNamespace

import polars as pl
import pytest
from longtail_icd.prediction.notes import Columns, Note, read_notes

COLUMNS = Columns("note_id", "text")
NOTES = [
    Note("7", 'Fever, "chills".\nSent home.'),
    Note("b", "Größe 1,80 m"),
    Note("c", ""),
]
LINES = "\n".join(json.dumps({"note_id": one.note_id, "text": one.text}) for one in NOTES) + "\n\n"
CSV = 'age,note_id,text\n1,7,"Fever, ""chills"".\nSent home."\n2,b,"Größe 1,80 m"\n3,c,\n'


def write(folder, name):
    path = folder / name
    if name.endswith(".parquet"):
        ids, texts = [one.note_id for one in NOTES], [one.text or None for one in NOTES]
        pl.DataFrame({"note_id": ids, "text": texts, "age": 1}).write_parquet(path)
    else:
        content = (CSV if ".csv" in name else LINES).encode(
            "utf-8-sig" if "bom" in name else "utf-8"
        )
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return str(path)


@pytest.mark.parametrize(
    "name", ["n.csv", "bom.csv", "n.csv.gz", "n.jsonl", "n.ndjson", "n.jsonl.gz", "n.parquet"]
)
def test_every_format_gives_the_same_notes(name, tmp_path):
    """Line breaks and quotation marks inside a text stay; no text is an empty one."""
    assert list(read_notes(write(tmp_path, name), COLUMNS)) == NOTES


def test_a_folder_gives_a_note_per_text_file_by_name(tmp_path):
    for name, text in {"b.txt": "two\r\n", "a.txt": "one", "c.csv": "no note"}.items():
        (tmp_path / name).write_bytes(text.encode())
    assert list(read_notes(str(tmp_path), COLUMNS)) == [Note("a", "one"), Note("b", "two\r\n")]
    assert list(read_notes(str(tmp_path / "a.txt"), COLUMNS)) == [Note("a", "one")]


@pytest.mark.parametrize(
    ("kind", "given", "notes"),
    [(None, LINES, NOTES), ("csv", CSV, NOTES), ("text", "A note.", [Note("stdin", "A note.")])],
)
def test_standard_input_is_json_lines_unless_said_otherwise(kind, given, notes, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given.encode())))
    assert list(read_notes("-", COLUMNS, kind)) == notes


def test_columns_can_have_other_names_and_ids_be_numbers(tmp_path):
    path = tmp_path / "n.jsonl"
    path.write_text('{"hadm": 12, "body": "x"}')
    assert list(read_notes(str(path), Columns("hadm", "body"))) == [Note("12", "x")]
    pl.DataFrame({"hadm": [12], "body": ["x"]}).write_parquet(tmp_path / "n.parquet")
    assert list(read_notes(str(tmp_path / "n.parquet"), Columns("hadm", "body"))) == [
        Note("12", "x")
    ]
