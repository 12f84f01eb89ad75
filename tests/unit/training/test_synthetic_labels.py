"""Labels of synthetic notes are those that screening gave them, not those they were asked for."""

import runpy
from types import SimpleNamespace

import polars as pl
import pytest
from longtail_icd.common.tables import TABLES, read_table, write_table
from training_stage import CODES, SCRIPTS, TAXONOMY, make_encoder
from transformers import AutoTokenizer

A, B, C = CODES
TIERS = TAXONOMY.select("version", "code", "kind", n_train=pl.lit(4, pl.Int64), tier="kind")


def _table(name, rows):
    columns = TABLES[name].columns
    return pl.DataFrame([dict.fromkeys(columns) | row for row in rows], schema=columns)


def _label(request, code, role, verdict, weight=1.0):
    return {
        **{"request_id": request, "code": code, "role": role},
        **{"verdict": verdict, "weight": weight},
    }


def tokenized(tmp_path, text):
    """Return what rule `tokenize_synthetic_notes` makes of three notes, one of them rejected."""
    notes = [
        {"request_id": name, "anchor": A, "text": "Cholera, 12 days", "status": status}
        for name, status in (("1", "ok"), ("2", "rejected"), ("3", "ok"))
    ]
    labels = [
        _label("1", A, "anchor", "stated"),
        _label("1", B, "companion", "dropped", 0.0),
        _label("1", C, "extra", "extra"),
        _label("3", A, "anchor", "quoted"),
        _label("3", B, "companion", "not_found"),
    ]
    tables = {
        "notes": ("generation/notes", _table("generation/notes", notes)),
        "labels": ("generation/labels", _table("generation/labels", labels)),
        "tiers": ("plan/tiers", TIERS),
    }
    paths = {name: str(tmp_path / f"{name}.parquet") for name in tables}
    for name, (table, frame) in tables.items():
        write_table(frame, paths[name], table)
    job = SimpleNamespace(
        rule="tokenize_synthetic_notes",
        input=SimpleNamespace(**paths, encoder=str(make_encoder(tmp_path))),
        output=SimpleNamespace(tokens=str(tmp_path / "tokens.arrow")),
        params=SimpleNamespace(max_length=16, text=text),
        log=[str(tmp_path / "log")],
    )
    runpy.run_path(str(SCRIPTS / "tokenize_notes.py"), {"snakemake": job}, "__main__")
    return read_table(job.output.tokens, "training/tokens")


@pytest.fixture
def tokens(tmp_path):
    return tokenized(tmp_path, "raw")


def test_written_notes_get_what_the_corpus_does_to_real_ones(tmp_path):
    """Else lower case alone would tell a model which notes are synthetic."""
    tokenizer = AutoTokenizer.from_pretrained(make_encoder(tmp_path))
    ids = tokenized(tmp_path, "mullenbach")["input_ids"][0]
    said = tokenizer.decode(ids, skip_special_tokens=True)
    expected = tokenizer.decode(tokenizer("cholera days").input_ids, skip_special_tokens=True)
    assert said == expected


def test_a_dropped_code_is_no_label_an_extra_one_is_and_an_unfound_one_stays(tokens):
    assert tokens["note_id"].to_list() == ["1", "3"]
    assert tokens["label_ids"].to_list() == [[0, 2], [0, 1]]
    assert tokens["anchor_id"].to_list() == [0, 0]
