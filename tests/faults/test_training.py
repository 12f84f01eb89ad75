"""What training promises when something goes wrong: killed, broken numbers, a full disk."""

import json
import resource
import shutil

import polars as pl
import pytest
import torch
from longtail_icd.common.errors import UserError
from longtail_icd.training import trainer as trainer_module
from longtail_icd.training.batches import TokenDataset
from longtail_icd.training.checkpoints import fingerprint, last_checkpoint
from longtail_icd.training.encoder import prepare_encoder
from longtail_icd.training.model_folder import save_model
from longtail_icd.training.trainer import TrainNotes, train
from polars.testing import assert_frame_equal
from training_stage import (
    CHUNK,
    CODES,
    ENCODER,
    SETTINGS,
    make_encoder,
    make_model,
    make_tokens,
    run_python,
    run_training,
)
from transformers import AutoTokenizer

# Trains as run_training does, in a process that dies without warning after a step.
KILLED = """
import os, sys
from pathlib import Path
from longtail_icd.training.callbacks import Progress
from training_stage import SETTINGS, run_training

encoder, checkpoints, step, kind, micro_batch, save_steps = sys.argv[1:]

def die(self, args, state, control, **kwargs):
    if state.global_step == int(step):
        os._exit(9)

Progress.on_step_begin = die
settings = SETTINGS | {"micro_batch": int(micro_batch) or None}
run_training(Path(encoder), Path(checkpoints), settings, kind, save_steps=int(save_steps) or None)
"""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return make_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def uninterrupted(encoder, tmp_path_factory):
    """Return the model and the history of a run that nobody kills, for each kind of run."""
    found = {}

    def of(kind, micro_batch):
        if (kind, micro_batch) not in found:
            settings = SETTINGS | {"micro_batch": micro_batch or None}
            folder = tmp_path_factory.mktemp("whole")
            found[kind, micro_batch] = run_training(encoder, folder, settings, kind)
        return found[kind, micro_batch]

    return of


@pytest.mark.parametrize(
    ("step", "kind", "micro_batch", "save_steps"),
    [
        (2, "gki_icd", 0, 1),  # inside the first epoch, R-Drop still off
        (3, "gki_icd", 0, 1),  # between epochs
        (4, "gki_icd", 0, 1),  # inside the second, R-Drop on
        (5, "gki_icd", 0, 2),  # a step after the last checkpoint
        (7, "gki_icd", 0, 1),  # inside the broken last epoch
        (5, "gki_icd", 0, 0),  # checkpoints at the ends of epochs only
        (5, "gki_icd", 2, 1),  # accumulated
        (4, "plm_icd", 0, 1),
    ],
)
def test_a_killed_training_resumes_to_the_same_weights(
    step, kind, micro_batch, save_steps, encoder, uninterrupted, tmp_path
):
    """Order, dropout, guidelines, optimizer and R-Drop go on where the last checkpoint was."""
    arguments = [str(encoder), str(tmp_path / "run"), str(step), kind]
    killed = run_python(KILLED, *arguments, str(micro_batch), str(save_steps))
    assert killed.returncode == 9, killed.stderr
    newest = max(step // save_steps * save_steps if save_steps else 0, step // 3 * 3)
    assert last_checkpoint(tmp_path / "run").name == f"checkpoint-{newest}"
    settings = SETTINGS | {"micro_batch": micro_batch or None}
    model, resumed = run_training(encoder, tmp_path / "run", settings, kind, save_steps=save_steps)
    whole_model, whole = uninterrupted(kind, micro_batch)
    for name, weight in whole_model.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name
    assert (resumed.step, resumed.threshold) == (whole.step, whole.threshold)
    assert_frame_equal(whole.history, resumed.history, abs_tol=1e-6)


@pytest.mark.parametrize("early", [False, True])
def test_a_training_killed_after_its_last_checkpoint_trains_no_further(early, encoder, tmp_path):
    """It only loads what it chose: another step would be one too many, and another model."""
    changes = {"early_stopping": 1, "learning_rate": 1e-9} if early else {"select_on": "last"}
    settings = SETTINGS | changes
    whole_model, whole = run_training(encoder, tmp_path, settings, steps=11)
    before = sorted(path.name for path in tmp_path.iterdir())
    last = 6 if early else 11
    assert f"checkpoint-{last}" in before or early
    if early:  # the best epoch's was kept; put the last one back, as it was before the clean-up
        state = tmp_path / "checkpoint-3" / "trainer_state.json"
        shutil.copytree(tmp_path / "checkpoint-3", tmp_path / "checkpoint-6")
        values = json.loads(state.read_text())
        values["log_history"] = [
            {"epoch": epoch, "step": 3 * epoch, "eval_map": 0.5, "eval_threshold": whole.threshold}
            for epoch in (1, 2)
        ]
        (tmp_path / "checkpoint-6" / "trainer_state.json").write_text(
            json.dumps(values | {"global_step": 6})
        )
    model, again = run_training(encoder, tmp_path, settings, steps=11)
    assert again.step == whole.step
    for name, weight in whole_model.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name


def test_a_half_written_checkpoint_is_removed_and_the_one_before_it_resumed(tmp_path):
    for step in (3, 6, 12):
        (tmp_path / f"checkpoint-{step}").mkdir()
    (tmp_path / "checkpoint-3" / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-6" / "trainer_state.json").write_text('{"epoch": ')
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-3"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]
    assert last_checkpoint(tmp_path / "nowhere") is None


def test_a_checkpoint_of_another_label_space_is_refused_with_both_sizes(encoder, tmp_path):
    run_training(encoder, tmp_path, steps=3)
    config = tmp_path / "checkpoint-3" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"labels": 8921}))
    with pytest.raises(UserError, match="a model of 8921 codes, but the label space has 3"):
        run_training(encoder, tmp_path, steps=6)


def test_another_encoder_setting_or_seed_is_another_run(tmp_path):
    """No checkpoint of one run is ever resumed into another: the folder's name differs."""
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "weights").write_bytes(b"1")
    before = fingerprint({"seed": 1}, [tmp_path / "encoder"])
    assert fingerprint({"seed": 1}, [tmp_path / "encoder"]) == before
    assert fingerprint({"seed": 2}, [tmp_path / "encoder"]) != before
    (tmp_path / "encoder" / "weights").write_bytes(b"2")
    assert fingerprint({"seed": 1}, [tmp_path / "encoder"]) != before


# Trains to the end of the second epoch on a disk that is full from then on: no file may grow
# beyond a quarter of the weights.
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from longtail_icd.common.errors import UserError
from longtail_icd.training.callbacks import Progress
from training_stage import run_training

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write fails instead, as on a full disk

def fill(self, args, state, control, **kwargs):
    if state.global_step == 4:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)

Progress.on_step_begin = fill
try:
    run_training(Path(sys.argv[1]), Path(sys.argv[2]), save_steps=5)
except UserError as error:
    print(error)
    sys.exit(7)
"""


@pytest.mark.parametrize("share", [0.25, 1.5])
def test_a_full_disk_is_one_error_and_the_last_good_checkpoint_survives(
    share, encoder, uninterrupted, tmp_path
):
    """The weights do not fit, or they do and the optimizer's state does not."""
    size = make_model(encoder, "gki_icd").num_parameters() * 4
    stopped = run_python(FULL_DISK, str(encoder), str(tmp_path), str(int(size * share)))
    assert stopped.returncode == 7, stopped.stderr
    message = stopped.stdout.splitlines()[-1]
    assert "checkpoint-5: the checkpoint cannot be saved" in message
    assert "checkpoint-3 is complete and will be resumed; free disk space" in message
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]
    model, _ = run_training(encoder, tmp_path)
    for name, weight in uninterrupted("gki_icd", 0)[0].state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name


def test_a_model_that_does_not_fit_on_the_disk_leaves_nothing_half_written(encoder, tmp_path):
    code = """
import resource, signal, sys
from pathlib import Path
from longtail_icd.common.errors import UserError
from longtail_icd.training.model_folder import save_model
from training_stage import CODES, make_model
from transformers import AutoTokenizer

encoder, folder = map(Path, sys.argv[1:])
model = make_model(encoder, "plm_icd")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    save_model(model, AutoTokenizer.from_pretrained(encoder), CODES, {}, folder)
except UserError as error:
    print(error)
    sys.exit(7)
"""
    stopped = run_python(code, str(encoder), str(tmp_path / "model"))
    assert stopped.returncode == 7, stopped.stderr
    assert "model: the model cannot be saved" in stopped.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_no_number_stops_the_run_at_that_step(encoder, tmp_path):
    broken = SETTINGS | {"similarity_lambda": float("inf")}
    with pytest.raises(UserError, match=r"loss is inf at step 1; lower models"):
        run_training(encoder, tmp_path / "run", broken)


def test_a_model_that_predicts_everything_stops_the_run(encoder, tmp_path, monkeypatch):
    metrics = {"map": 0.1, "micro_f1": 0.02, "recall": 1.0, "threshold": 0.0}
    monkeypatch.setattr(trainer_module, "dev_metrics", lambda prediction: metrics)
    with pytest.raises(UserError, match="model has collapsed at step 6"):
        run_training(encoder, tmp_path / "run")


def test_empty_splits_are_one_clear_error(tmp_path):
    tokens = make_tokens()
    unlabelled = TokenDataset(tokens.with_columns(label_ids=pl.lit([], dtype=pl.List(pl.Int32))))
    for notes, dev, message in (
        (TokenDataset(tokens.clear()), TokenDataset(tokens), "train split is empty"),
        (TokenDataset(tokens), unlabelled, "no dev note has a code"),
    ):
        with pytest.raises(UserError, match=message):
            train(None, TrainNotes(notes, 0, "concatenate", 1), dev, None, SETTINGS, 1, tmp_path)


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


def test_chunks_longer_than_the_encoder_reads_are_refused(encoder, tmp_path):
    settings = ENCODER | {"source": "pretrained", "name": str(encoder), "revision": None}
    with pytest.raises(UserError, match=r"tokens\.chunk: 17 tokens, but the encoder reads 16"):
        prepare_encoder([], settings, CHUNK + 1, tmp_path / "again")
