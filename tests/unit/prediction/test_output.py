"""What comes out: JSON lines and Parquet with the same content, a page, a command."""

import json
import re
import runpy
import sys
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from coded_notes import as_notes, make_notes
from longtail_icd.common.tables import read_table
from longtail_icd.prediction.coder import NoteCoder
from longtail_icd.prediction.notes import Note
from longtail_icd.prediction.page import note_page
from longtail_icd.prediction.run import code_notes

ROOT = Path(__file__).parents[3]
NOTES = [*as_notes(make_notes(5, 3)), Note("blank", "")]
VOID = {"meta"}


@pytest.fixture(scope="module")
def coder(trained):
    return NoteCoder(trained, top=2)


def test_json_lines_and_parquet_say_the_same(coder, tmp_path, capsys):
    code_notes(NOTES, coder, str(tmp_path / "codes.jsonl"), {})
    code_notes(NOTES, coder, str(tmp_path / "codes.parquet"), {})
    code_notes(NOTES, coder, "-", {})
    lines = (tmp_path / "codes.jsonl").read_text()
    told = capsys.readouterr()
    assert told.out == lines
    records = [json.loads(line) for line in lines.splitlines()]
    assert read_table(tmp_path / "codes.parquet", "prediction/codes").to_dicts() == records
    assert [one["note_id"] for one in records] == [one.note_id for one in NOTES]
    assert re.search(r"6 notes coded in \d+\.\d s, \d+\.\d a second", told.err)
    assert "warning: 1 notes have no text and got no codes" in told.err


class Checker(HTMLParser):
    """Fails on a tag that is closed out of turn; collects addresses, marked words and the note."""

    def __init__(self, page):
        super().__init__()
        self.open, self.links, self.marked, self.note = [], [], "", ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.links += [value for key, value in attrs if key in ("src", "href")]
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("class")))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if ("div", "text") in self.open and self.open[-1][0] != "sup":
            self.note += data
            if self.open[-1][0] == "mark":
                self.marked += f" {data}"


def test_a_page_marks_what_was_looked_at_and_runs_nothing(coder):
    note = Note(
        "<b>1</b>", "Seen <b>on</b> ward & with Typhoid <script>alert(1)</script> sent home"
    )
    (coded,) = coder.code([note])
    page = note_page(note, coded, coder)
    shown = Checker(page)
    assert shown.note == note.text and shown.links == []
    assert "<script" not in page and "<b>1" not in page and "default-src 'none'" in page
    looked_at = " ".join(one.text for code in coded.codes for one in code.passages).split()
    assert looked_at and set(shown.marked.split()) == set(looked_at)
    assert "prefers-color-scheme: dark" in page and "--mark" in page


def test_a_page_of_a_note_without_codes_says_so(coder):
    note = NOTES[-1]
    (coded,) = coder.code([note])
    assert "predicts no code for this note" in note_page(note, coded, coder)


def test_the_command_codes_a_file_and_shows_a_note(trained, tmp_path, monkeypatch, capsys):
    notes, shown = tmp_path / "notes.csv", tmp_path / "page.html"
    pl.DataFrame({"hadm_id": [1, 2], "body": [one.text for one in NOTES[:2]]}).write_csv(notes)
    command = f"code_notes.py --model {trained} --id-column hadm_id --text-column body --top 1"
    monkeypatch.setattr(sys, "argv", [*command.split(), "--html", "2", str(shown), str(notes)])
    runpy.run_path(str(ROOT / "workflow/scripts/code_notes.py"), run_name="__main__")
    done = capsys.readouterr()
    records = [json.loads(line) for line in done.out.splitlines()]
    assert [one["note_id"] for one in records] == ["1", "2"]
    assert all(one["codes"] for one in records)
    assert "2 notes coded" in done.err
    assert Checker(shown.read_text()).note == NOTES[1].text
