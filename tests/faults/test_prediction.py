"""Broken notes, models and outputs: one message that says what and where, and quotes no note."""

import gzip
import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import torch
from coded_notes import as_notes, make_notes
from longtail_icd.common.errors import UserError
from longtail_icd.prediction import preparation
from longtail_icd.prediction.coder import NoteCoder
from longtail_icd.prediction.notes import Columns, Note, read_notes
from longtail_icd.prediction.run import code_notes
from longtail_icd.prediction.sources import prediction_sources
from longtail_icd.training.model_folder import FILES, save_model
from training_stage import TITLED, make_encoder, make_model
from transformers import AutoTokenizer

ROOT = Path(__file__).parents[2]
SECRET = "Mr Miller has typhoid"
GOOD = json.dumps({"note_id": "1", "text": SECRET}) + "\n"
CSV = f'note_id,text\n1,"{SECRET}"\n'


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return a model folder with random weights."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("model")
    encoder = make_encoder(folder)
    coder = {"text": "raw", "max_length": 64, "threshold": {"logit": 0.0}, "model": "plm_icd"}
    coder["calibration"] = {"slope": 1.0, "intercept": 0.0}
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    save_model(make_model(encoder, "plm_icd"), tokenizer, TITLED, coder, folder / "model")
    return folder / "model"


BROKEN = [
    ("n.csv", "", "n.csv: holds no notes"),
    ("n.csv", "note_id,text\n", "n.csv: holds no notes"),
    ("n.jsonl", "\n", "n.jsonl: holds no notes"),
    ("n.csv", f"id,text\n1,{SECRET}\n", "n.csv: column note_id is missing; .*--id-column"),
    ("n.csv", f"{SECRET},x\n", "n.csv: column note_id is missing"),
    ("n.csv", CSV + f"2,{SECRET}, x\n", "n.csv: line 3: 3 values, but the header has 2"),
    ("n.csv", CSV + f'2,"{SECRET}\n', "n.csv: line 3: not valid CSV; .*never closed"),
    ("n.csv", CSV + "1,twice\n", "n.csv: line 3: an earlier note has the same note_id"),
    ("n.csv", CSV + f",{SECRET}\n", "n.csv: line 3: note_id is no id"),
    ("n.csv", CSV.encode() + b"2,gr\xf6\xdfe\n", "n.csv: not in UTF-8; .*iconv"),
    ("n.jsonl", GOOD + "\n" + '{"note_id": ' + SECRET, "n.jsonl: line 3: not valid JSON$"),
    ("n.jsonl", GOOD + f'["{SECRET}"]', "n.jsonl: line 2: not a JSON object"),
    ("n.jsonl", GOOD + '{"note_id": "2"}', "n.jsonl: line 2: column text is missing; .*--text-col"),
    ("n.jsonl", GOOD + '{"note_id": "2", "text": 7}', "n.jsonl: line 2: text is no text"),
    ("n.jsonl", GOOD + '{"note_id": null, "text": ""}', "n.jsonl: line 2: note_id is no id"),
    (
        "n.jsonl",
        '{"note_id": 1, "text": "\\ud800"}',
        "n.jsonl: line 1: text holds half a surr",
    ),
    ("n.jsonl.gz", gzip.compress(GOOD.encode(), mtime=0)[:-9], "n.jsonl.gz: cannot be read to"),
    ("n.parquet", "PAR1", "n.parquet: cannot be read to"),
    ("n.docx", SECRET, "n.docx: give its format: --format csv"),
]


@pytest.mark.parametrize(("name", "content", "message"), BROKEN, ids=range(len(BROKEN)))
def test_broken_notes_are_one_error_with_its_place_and_no_words_of_a_note(
    name, content, message, tmp_path, model
):
    """And no output is left: neither half of one, nor one that looks whole."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    output = tmp_path / "out" / "codes.jsonl"
    with pytest.raises(UserError, match=message) as caught:
        code_notes(
            read_notes(str(path), Columns("note_id", "text")), NoteCoder(model), str(output), {}
        )
    assert "Miller" not in str(caught.value)
    assert not output.parent.exists() or list(output.parent.iterdir()) == []


def test_a_folder_without_texts_and_a_path_to_nowhere_are_named(tmp_path):
    with pytest.raises(UserError, match=f"{tmp_path}: holds no notes"):
        list(read_notes(str(tmp_path), Columns("a", "b")))
    (tmp_path / "a.txt").write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"a\.txt: not in UTF-8"):
        list(read_notes(str(tmp_path), Columns("a", "b")))
    for kind in (None, "csv"):
        with pytest.raises(UserError, match=r"gone\.csv: no such file or folder"):
            list(read_notes(str(tmp_path / "gone.csv"), Columns("a", "b"), kind))


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_model_folder_with_a_file_missing_is_refused_by_name(name, model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(UserError, match=rf"model.*{name}"):
        NoteCoder(folder)


def test_titles_of_another_model_are_refused(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    titles = json.loads((folder / "titles.json").read_text())
    (folder / "titles.json").write_text(json.dumps(titles[::-1]))
    with pytest.raises(UserError, match=r"titles\.json: of other codes than labels\.json"):
        NoteCoder(folder)


def test_a_coder_file_without_a_text_recipe_is_refused(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / "coder.json").write_text('{"threshold": {"logit": 0}, "max_length": 64}')
    with pytest.raises(UserError, match=r"coder\.json: key text is missing; train"):
        NoteCoder(folder)


def test_a_note_of_ten_megabytes_is_cut_and_counted(model, tmp_path, capsys, monkeypatch):
    """The tokenizer never sees more of it than 64 characters per token that the model reads."""
    longest, encode = [], preparation.encode

    def watching(texts, *others):
        longest.append(max(map(len, texts)))
        return encode(texts, *others)

    monkeypatch.setattr(preparation, "encode", watching)
    text = "typhoid ward\n" * 800_000
    (tmp_path / "n.csv").write_text(f'note_id,text\nlong,"{text}"\nb,short\n')
    notes = read_notes(str(tmp_path / "n.csv"), Columns("note_id", "text"))
    code_notes(notes, NoteCoder(model, top=1), str(tmp_path / "codes.jsonl"), {})
    long, short = map(json.loads, (tmp_path / "codes.jsonl").read_text().splitlines())
    assert longest == [64 * 64]
    assert (long["cut"], long["tokens"], short["cut"]) == (True, 64, False)
    assert "warning: 1 notes are longer than 64 tokens" in capsys.readouterr().err


def test_an_output_of_unknown_format_is_refused_before_any_note_is_read(model):
    def never():
        raise AssertionError
        yield Note("1", "")

    with pytest.raises(UserError, match=r"codes\.txt: the output's name must end in \.jsonl or"):
        code_notes(never(), NoteCoder(model), "codes.txt", {})


@pytest.mark.parametrize("name", ["codes.jsonl", "codes.parquet"])
def test_an_output_that_cannot_be_written_is_one_error(name, model, tmp_path):
    (tmp_path / "file").write_text("")
    output = str(tmp_path / "file" / name)
    with pytest.raises(UserError, match=r"cannot be written \((Not a directory|File exists)\)"):
        code_notes(as_notes(make_notes(2, 0)), NoteCoder(model), output, {})


def test_a_note_that_was_to_be_shown_and_is_not_there_costs_no_codes(model, tmp_path, capsys):
    output, page = tmp_path / "codes.jsonl", tmp_path / "page.html"
    code_notes(as_notes(make_notes(2, 0)), NoteCoder(model), str(output), {"x": page})
    assert len(output.read_text().splitlines()) == 2 and not page.exists()
    assert "warning: no note has the id x" in capsys.readouterr().err


def test_a_killed_source_leaves_what_was_there_before(model, tmp_path):
    """An older output stays whole when the new one does not come to its end."""
    output = tmp_path / "codes.jsonl"
    output.write_text("older\n")

    def broken():
        yield from as_notes(make_notes(40, 0))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        code_notes(broken(), NoteCoder(model), str(output), {})
    assert output.read_text() == "older\n"
    assert [path.name for path in tmp_path.iterdir()] == ["codes.jsonl"]


SETTINGS = {"notes": None, "model": "gki_icd/extended/seed1"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"prediction\.notes: name the notes"),
        ({"notes": "gone.csv"}, r"prediction\.notes: gone\.csv: no such"),
        ({"notes": ".", "model": "gone"}, r"prediction\.model: gone: no such folder.*seed1"),
    ],
)
def test_a_configuration_without_notes_or_model_says_which_key(changes, message):
    with pytest.raises(UserError, match=message):
        prediction_sources(SETTINGS | changes, [SETTINGS["model"]], "results")


def test_the_command_ends_in_one_line_and_without_the_note(model, tmp_path, monkeypatch):
    """A broken line, and an error that nobody foresaw and whose own words are withheld."""
    notes = tmp_path / "n.jsonl"
    notes.write_text(GOOD + SECRET)
    monkeypatch.setattr(sys, "argv", ["code_notes.py", "--model", str(model), str(notes)])

    def said():
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "workflow/scripts/code_notes.py"), run_name="__main__")
        return ended.value.code

    assert said() == f"error: {notes}: line 2: not valid JSON"
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--passages", "-1"])
    assert said() == 2  # argparse has said why
    sys.argv[-1] = "1"
    notes.write_text(GOOD)
    monkeypatch.setattr(NoteCoder, "code", lambda _, batch: {}[batch[0].text])
    assert "KeyError" in said() and "Miller" not in said()
