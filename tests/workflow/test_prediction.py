"""`snakemake prediction` and `snakemake cards`: a user's notes and the run's own facts."""

import json

import numpy as np
import polars as pl
import pytest
import yaml
from huggingface_hub import ModelCard
from longtail_icd.common.files import read_json
from longtail_icd.evaluation.scores import read_scores

RUN = "gki_icd/extended/seed1"


@pytest.mark.slow
def test_test_notes_get_the_scores_that_the_evaluation_gave_them(changeable):
    """As a user's notes, by a copy of the model folder: what it needs comes with it."""
    changeable.result(f"training/{RUN}/model").rename(changeable.folder / "model")
    notes = changeable.folder / "notes.parquet"
    pl.read_parquet(changeable.result("corpus/notes/test.parquet")).select(
        "note_id", "text"
    ).write_parquet(notes)
    scores = read_scores(changeable.result(f"evaluation/{RUN}/scores/test.safetensors"))
    asked = {"notes": "notes.parquet", "model": "model", "top": 5, "page": scores.note_ids[0]}
    overlay = changeable.folder / "mine.yaml"
    overlay.write_text(yaml.safe_dump({"prediction": asked}))
    configured = ("--configfile", "tests/config/tiny.yaml", str(overlay))
    changeable.snakemake(*configured, "--", "prediction")
    folder = changeable.result("prediction")
    assert (folder / "note.html").is_file() and folder.stat().st_mode & 0o077 == 0
    coder = read_json(changeable.folder / "model" / "coder.json")
    curve = coder["calibration"]
    lines = (folder / "codes.jsonl").read_text().splitlines()
    for line, note_id, logits in zip(lines, scores.note_ids, scores.logits, strict=True):
        record = json.loads(line)
        best = np.sort(logits)[::-1][: len(record["codes"])]
        stated = 1 / (1 + np.exp(-(curve["slope"] * best + curve["intercept"])))
        assert record["note_id"] == note_id and len(record["codes"]) >= 5
        assert [one["probability"] for one in record["codes"]] == pytest.approx(stated, abs=1e-4)
        assert all(one["title"] for one in record["codes"])
    log = (changeable.folder / "logs/tiny/prediction/code_new_notes.log").read_text()
    assert f"{len(lines)} notes coded" in log


@pytest.mark.slow
def test_cards_are_made_from_the_runs_own_files(changeable):
    cards = [f"{RUN}/README.md", "notes/paper/README.md"]
    targets = [f"results/tiny/prediction/cards/{card}" for card in cards]
    changeable.snakemake(*targets)
    model, notes = (changeable.result(f"prediction/cards/{card}").read_text() for card in cards)
    metrics = pl.read_parquet(changeable.result(f"evaluation/{RUN}/metrics.parquet"))
    f1 = metrics.filter(metric="micro_f1", tier="all")["value"].item()
    (whole,) = [
        one for one in ModelCard(model).data.eval_results if one.metric_name.endswith("all codes")
    ]
    assert whole.metric_value == round(f1, 4)
    assert "The corpus is simulated" in model and "The corpus is simulated" in notes


def test_without_notes_the_target_says_what_is_missing(finished):
    said = finished.snakemake("prediction", "--dry-run", check=False)
    assert "prediction.notes: name the notes to be coded" in said
