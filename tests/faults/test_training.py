"""What training promises when something goes wrong: killed, broken numbers, half-written files."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from longtail_icd.common.errors import UserError
from longtail_icd.training import trainer as trainer_module
from longtail_icd.training.batches import Collator, TokenDataset
from longtail_icd.training.build import build_model
from longtail_icd.training.checkpoints import fingerprint, last_checkpoint
from longtail_icd.training.encoder import prepare_encoder
from longtail_icd.training.guideline import Guidelines
from longtail_icd.training.model_folder import save_model
from longtail_icd.training.trainer import EpochClock, train
from polars.testing import assert_frame_equal
from transformers import AutoTokenizer

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
LABELS = pl.DataFrame({"version": "icd9cm", "code": ["001.0", "002.0", "003.0"]})
TITLES = ["cholera", "typhoid", "salmonella"]
SETTINGS = {
    "epochs": 3,
    "learning_rate": 1e-3,
    "warmup_ratio": 0.1,
    "weight_decay": 0.0,
    "batch_size": 4,
    "gradient_clip": 1.0,
    "precision": "fp32",
    "select_on": "map",
    "description_init": True,
    "description_tokens": 8,
    "rdrop_alpha": 1.0,
    "rdrop_kind": "softmax",
    "similarity_lambda": 0.0,
}
ENCODER = {
    "source": "scratch",
    "vocabulary": 300,
    "hidden_size": 16,
    "layers": 1,
    "heads": 2,
    "seed": 1,
}


def make_encoder(folder: Path) -> Path:
    prepare_encoder(TITLES * 3, ENCODER, 16, folder / "encoder")
    return folder / "encoder"


def make_tokens(rows: int = 10) -> pl.DataFrame:
    generator = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "note_id": [str(row) for row in range(rows)],
            "input_ids": [generator.integers(5, 200, 8 + row).tolist() for row in range(rows)],
            "label_ids": [[row % 3] for row in range(rows)],
            "anchor_id": [None] * rows,
        },
        schema_overrides={"input_ids": pl.List(pl.Int32), "label_ids": pl.List(pl.Int32)},
    )


def run_training(encoder: Path, checkpoints: Path, settings: dict = SETTINGS) -> torch.nn.Module:
    """Train GKI-ICD (its guidelines and R-Drop depend on the epoch) on ten notes."""
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = build_model("gki_icd", str(encoder), tokenizer, TITLES, settings, 16, seed=3)
    taxonomy = LABELS.with_columns(
        title=pl.Series(TITLES), chapter=pl.lit("c"), block=pl.lit("b"), category="code"
    )
    synonyms = pl.DataFrame(
        {"version": "icd9cm", "code": ["001.0"] * 3, "synonym": ["vibrio", "el tor", "rice water"]}
    )
    guidelines = Guidelines(LABELS, TITLES, taxonomy, synonyms)
    collator = Collator(3, tokenizer, guidelines, seed=3)
    notes = TokenDataset(make_tokens().with_columns(guideline_labels="label_ids"))
    dev = TokenDataset(make_tokens(6))
    steps = 3 * settings["epochs"]
    model.history = train(model, notes, dev, collator, settings, steps, 3, checkpoints)
    return model


def run_until_killed(encoder: Path, checkpoints: Path) -> None:
    """Die without warning in the middle of the second epoch (three steps each)."""

    def die(self, args, state, control, **kwargs):
        if state.global_step == 5:
            os._exit(9)

    EpochClock.on_step_end = die
    run_training(encoder, checkpoints)


def test_a_killed_training_resumes_to_the_same_weights(tmp_path, monkeypatch):
    """Order, dropout, guidelines and optimizer go on exactly where the last epoch ended."""
    weights = []  # of every epoch; the model itself goes back to the best one's

    def keep(self, args, state, control, model, **kwargs):
        weights.append({name: value.clone() for name, value in model.state_dict().items()})

    monkeypatch.setattr(EpochClock, "on_epoch_end", keep)
    encoder = make_encoder(tmp_path)
    whole = run_training(encoder, tmp_path / "whole")
    command = [sys.executable, __file__, str(encoder), str(tmp_path / "killed")]
    paths = [str(SCRIPTS), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    killed = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert killed.returncode == 9, killed.stderr.decode()
    assert [path.name for path in (tmp_path / "killed").iterdir()] == ["checkpoint-3"]
    resumed = run_training(encoder, tmp_path / "killed")
    assert len(weights) == 3 + 2
    for name, weight in weights[2].items():
        assert torch.allclose(weight, weights[4][name], rtol=0, atol=1e-6), name
        assert torch.equal(whole.state_dict()[name], resumed.state_dict()[name]), name
    assert_frame_equal(whole.history, resumed.history, abs_tol=1e-6)


def test_a_half_written_checkpoint_is_removed_and_the_one_before_it_resumed(tmp_path):
    for step in (3, 6, 12):
        (tmp_path / f"checkpoint-{step}").mkdir()
    (tmp_path / "checkpoint-3" / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-6" / "trainer_state.json").write_text('{"epoch": ')
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-3"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]
    assert last_checkpoint(tmp_path / "nowhere") is None


def test_another_encoder_setting_or_seed_is_another_run(tmp_path):
    """No checkpoint of one run is ever resumed into another: the folder's name differs."""
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "weights").write_bytes(b"1")
    before = fingerprint({"seed": 1}, [tmp_path / "encoder"])
    assert fingerprint({"seed": 1}, [tmp_path / "encoder"]) == before
    assert fingerprint({"seed": 2}, [tmp_path / "encoder"]) != before
    (tmp_path / "encoder" / "weights").write_bytes(b"2")
    assert fingerprint({"seed": 1}, [tmp_path / "encoder"]) != before


def test_a_loss_that_is_no_number_stops_the_run_at_that_step(tmp_path):
    broken = SETTINGS | {"similarity_lambda": float("inf")}
    with pytest.raises(UserError, match=r"loss is inf at step 1; lower models"):
        run_training(make_encoder(tmp_path), tmp_path / "run", broken)


def test_a_model_that_predicts_everything_stops_the_run(tmp_path, monkeypatch):
    metrics = {"map": 0.1, "micro_f1": 0.02, "recall": 1.0}
    monkeypatch.setattr(trainer_module, "dev_metrics", lambda prediction: metrics)
    with pytest.raises(UserError, match="model has collapsed at step 6"):
        run_training(make_encoder(tmp_path), tmp_path / "run")


def test_empty_splits_are_one_clear_error(tmp_path):
    tokens = make_tokens()
    unlabelled = TokenDataset(tokens.with_columns(label_ids=pl.lit([], dtype=pl.List(pl.Int32))))
    for notes, dev, message in (
        (TokenDataset(tokens.clear()), TokenDataset(tokens), "train split is empty"),
        (TokenDataset(tokens), unlabelled, "no dev note has a code"),
    ):
        with pytest.raises(UserError, match=message):
            train(None, notes, dev, None, SETTINGS, 1, 1, tmp_path)


def test_a_failed_save_leaves_no_half_model(tmp_path):
    class Broken:
        def save_pretrained(self, folder):
            (folder / "config.json").write_text("{}")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        save_model(Broken(), Broken(), [], tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "someone/encoder", "revision": None}, "pin the commit"),
        ({"name": ".", "revision": None}, "cannot be loaded"),
    ],
)
def test_an_encoder_that_cannot_be_had_names_the_key(change, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ENCODER | {"source": "pretrained"} | change
    with pytest.raises(UserError, match=message):
        prepare_encoder([], settings, 16, tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()


def test_chunks_longer_than_the_encoder_reads_are_refused(tmp_path):
    local = make_encoder(tmp_path)
    settings = ENCODER | {"source": "pretrained", "name": str(local), "revision": None}
    with pytest.raises(UserError, match=r"tokens\.chunk: 17 tokens, but the encoder reads 16"):
        prepare_encoder([], settings, 17, tmp_path / "again")


if __name__ == "__main__":
    run_until_killed(Path(sys.argv[1]), Path(sys.argv[2]))
