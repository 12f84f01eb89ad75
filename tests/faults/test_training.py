"""What training promises when something goes wrong: killed, broken numbers, a full disk."""

import json
import os
import signal

import polars as pl
import pytest
import torch
from longtail_icd.common.errors import UserError
from longtail_icd.training import trainer as trainer_module
from longtail_icd.training.batches import TokenDataset
from longtail_icd.training.callbacks import Progress
from longtail_icd.training.checkpoints import fingerprint, last_checkpoint
from longtail_icd.training.encoder import prepare_encoder
from longtail_icd.training.trainer import TrainNotes, train
from polars.testing import assert_frame_equal
from training_stage import (
    CHUNK,
    ENCODER,
    SETTINGS,
    make_encoder,
    make_model,
    make_tokens,
    run_python,
    run_training,
)

# Dies without warning in the middle of the second epoch, between two checkpoints.
KILLED = """
import os, sys
from pathlib import Path
from longtail_icd.training.callbacks import Progress
from training_stage import run_training

def die(self, args, state, control, **kwargs):
    if state.global_step == 5:
        os._exit(9)

Progress.on_step_begin = die
run_training(Path(sys.argv[1]), Path(sys.argv[2]), save_steps=2)
"""


class Killed(BaseException):
    """Ends a training where it is, as a kill does, but without a process for each test."""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return make_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def uninterrupted(encoder, tmp_path_factory):
    """Return the model and the history of a run that nobody kills, for each kind of run."""
    found = {}

    def of(kind, micro_batch):
        if (kind, micro_batch) not in found:
            settings = SETTINGS | {"micro_batch": micro_batch}
            folder = tmp_path_factory.mktemp("whole")
            found[kind, micro_batch] = run_training(encoder, folder, settings, kind)
        return found[kind, micro_batch]

    return of


def assert_same_run(found, expected):
    """Weights to the bit; the history but for the clock."""
    (model, trained), (whole_model, whole) = found, expected
    for name, weight in whole_model.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name]), name
    assert (trained.step, trained.threshold) == (whole.step, whole.threshold)
    assert_frame_equal(whole.history, trained.history, abs_tol=1e-6)


def test_a_killed_training_resumes_to_the_same_weights(encoder, uninterrupted, tmp_path):
    killed = run_python("-c", KILLED, str(encoder), str(tmp_path))
    assert killed.returncode == 9, killed.stderr
    assert last_checkpoint(tmp_path).name == "checkpoint-4"
    assert_same_run(run_training(encoder, tmp_path), uninterrupted("gki_icd", None))


@pytest.mark.parametrize(
    ("kind", "micro_batch", "save_steps", "steps"),
    [
        # Eight steps: three epochs of three, the last broken.
        pytest.param("gki_icd", None, 1, range(1, 8), marks=pytest.mark.slow),
        ("gki_icd", None, 2, [3, 5]),  # a step after the last checkpoint
        ("gki_icd", None, None, [1, 5]),  # checkpoints at the ends of epochs only
        ("gki_icd", 2, 1, [2, 5]),  # a batch in two parts
        ("plm_icd", None, 1, [4]),
    ],
)
def test_a_training_that_ends_after_any_step_resumes_to_the_same_weights(
    kind, micro_batch, save_steps, steps, encoder, uninterrupted, tmp_path, monkeypatch
):
    """Order, dropout, guidelines, optimizer and R-Drop go on where the last checkpoint was."""
    settings = SETTINGS | {"micro_batch": micro_batch}
    for last in steps:

        def end(self, args, state, control, last=last, **kwargs):
            if state.global_step == last:
                raise Killed

        folder = tmp_path / str(last)
        with monkeypatch.context() as patched:
            patched.setattr(Progress, "on_step_begin", end, raising=False)
            with pytest.raises(Killed):
                run_training(encoder, folder, settings, kind, save_steps=save_steps)
        saved = max(last // save_steps * save_steps if save_steps else 0, last // 3 * 3)
        newest = last_checkpoint(folder)
        assert (newest.name if newest else None) == (f"checkpoint-{saved}" if saved else None)
        resumed = run_training(encoder, folder, settings, kind, save_steps=save_steps)
        assert_same_run(resumed, uninterrupted(kind, micro_batch))


@pytest.mark.parametrize("told_in", [2, 3, 5, 8])  # an epoch has three steps, all have eight
def test_a_training_that_a_scheduler_ends_saves_the_step_and_resumes_to_the_same_weights(
    told_in, encoder, uninterrupted, tmp_path, monkeypatch
):
    """Slurm sends SIGTERM ahead of a time limit; no checkpoint was due at steps 2 and 5."""

    def tell(self, args, state, control, **kwargs):
        if state.global_step == told_in - 1:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patched:
        patched.setattr(Progress, "on_step_begin", tell, raising=False)
        with pytest.raises(UserError, match=rf"checkpoint-{told_in} of 8 steps is saved"):
            run_training(encoder, tmp_path)
    assert signal.getsignal(signal.SIGTERM) is before
    assert last_checkpoint(tmp_path).name == f"checkpoint-{told_in}"
    assert_same_run(run_training(encoder, tmp_path), uninterrupted("gki_icd", None))


def test_a_training_in_batches_of_tokens_resumes_to_the_same_weights(
    encoder, tmp_path, monkeypatch
):
    """125 tokens in batches of 51 at most, less the longest note's 17: four steps an epoch."""
    settings = SETTINGS | {"batch_tokens": 51}
    whole = run_training(encoder, tmp_path / "whole", settings, steps=10)
    assert whole[1].history.filter(metric="eval_map")["step"].to_list() == [4, 8, 10]

    def end(self, args, state, control, **kwargs):
        if state.global_step == 6:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "on_step_begin", end, raising=False)
        with pytest.raises(Killed):
            run_training(encoder, tmp_path / "run", settings, steps=10, save_steps=1)
    assert last_checkpoint(tmp_path / "run").name == "checkpoint-6"
    assert_same_run(run_training(encoder, tmp_path / "run", settings, steps=10), whole)


@pytest.mark.parametrize(
    "changes", [{"select_on": "last"}, {"early_stopping": 1, "learning_rate": 1e-9}]
)
def test_a_training_killed_after_its_last_checkpoint_trains_no_further(
    changes, encoder, tmp_path, monkeypatch
):
    """It only loads what it chose: another step would be one too many, and another model."""
    settings, folder = SETTINGS | changes, tmp_path / "run"

    def end(self, args, state, control, **kwargs):
        if control.should_training_stop:
            raise Killed

    monkeypatch.setattr(Progress, "on_save", end, raising=False)
    with pytest.raises(Killed):
        run_training(encoder, folder, settings)
    monkeypatch.undo()
    monkeypatch.setattr(trainer_module.CoderTrainer, "train", lambda *_, **__: 1 / 0)
    model, trained = run_training(encoder, folder, settings)
    monkeypatch.undo()
    assert_same_run((model, trained), run_training(encoder, tmp_path / "whole", settings))


def test_a_half_written_checkpoint_is_removed_and_the_one_before_it_resumed(tmp_path):
    for step in (3, 6, 12):
        (tmp_path / f"checkpoint-{step}").mkdir()
    (tmp_path / "checkpoint-3" / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-6" / "trainer_state.json").write_text('{"epoch": ')
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-3"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]
    assert last_checkpoint(tmp_path / "nowhere") is None


def test_a_checkpoint_of_another_label_space_is_refused_with_both_sizes(encoder, tmp_path):
    """Before it is loaded: its weights fit nothing here."""
    run_training(encoder, tmp_path, steps=3)
    checkpoint = tmp_path / "checkpoint-3"
    config = json.loads((checkpoint / "config.json").read_text())
    (checkpoint / "config.json").write_text(json.dumps(config | {"labels": 8921}))
    (checkpoint / "model.safetensors").write_bytes(b"of another shape")
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


@pytest.mark.parametrize("share", [0.25, pytest.param(1.5, marks=pytest.mark.slow)])
def test_a_full_disk_is_one_error_and_the_last_good_checkpoint_survives(
    share, encoder, uninterrupted, tmp_path
):
    """The weights do not fit, or they do and the optimizer's state does not."""
    size = make_model(encoder, "gki_icd").num_parameters() * 4
    stopped = run_python("-c", FULL_DISK, str(encoder), str(tmp_path), str(int(size * share)))
    assert stopped.returncode == 7, stopped.stderr
    message = stopped.stdout.splitlines()[-1]
    assert "checkpoint-5: the checkpoint cannot be saved" in message
    assert "checkpoint-3 is complete and will be resumed; free disk space" in message
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]
    model, _ = run_training(encoder, tmp_path)
    for name, weight in uninterrupted("gki_icd", None)[0].state_dict().items():
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
    stopped = run_python("-c", code, str(encoder), str(tmp_path / "model"))
    assert stopped.returncode == 7, stopped.stderr
    assert "model: the model cannot be saved" in stopped.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_no_number_stops_the_run_at_that_step(encoder, tmp_path):
    broken = SETTINGS | {"similarity_lambda": float("inf")}
    with pytest.raises(UserError, match=r"loss is inf at step 1; lower models"):
        run_training(encoder, tmp_path / "run", broken)


def test_a_model_that_predicts_everything_stops_the_run(encoder, tmp_path, monkeypatch):
    metrics = {"map": 0.1, "micro_f1": 0.02, "recall": 1.0, "threshold": 0.0}
    monkeypatch.setattr(trainer_module, "dev_metrics", lambda prediction, unseen: metrics)
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
