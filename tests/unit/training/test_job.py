"""A training job from its files to its files, in one process and in two."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from longtail_icd.common.config import TRAIN_SET_DEFAULTS
from longtail_icd.common.errors import UserError
from longtail_icd.common.files import write_json
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.training.checkpoints import last_checkpoint
from longtail_icd.training.inference import predict
from longtail_icd.training.job import launch
from longtail_icd.training.model_folder import read_titles
from longtail_icd.training.selection import best_micro_f1, mean_average_precision
from safetensors.torch import load_file
from training_stage import SETTINGS, TITLED, make_job, make_tokens, run_python


def without_dropout(job):
    """Rewrite the encoder's config: processes draw dropout apart from each other."""
    path = Path(job["input"]["encoder"]) / "config.json"
    config = json.loads(path.read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    path.write_text(json.dumps(config))
    return job


def test_a_job_writes_a_complete_model_and_its_history_and_no_checkpoint(tmp_path):
    job = make_job(tmp_path, "gki_icd")
    launch(job, 1)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"model", "history"}
    coder = json.loads((tmp_path / "run" / "model" / "coder.json").read_text())
    history = read_table(job["output"]["history"], "training/history")
    assert (coder["text"], coder["max_length"], coder["model"]) == ("raw", 32, "gki_icd")
    assert coder["step"] in history.filter(metric="eval_map")["step"]
    assert coder["threshold"]["kind"] == "micro_f1 on dev"
    assert coder["calibration"]["kind"] == "platt on dev" and coder["calibration"]["slope"] > 0
    assert read_titles(tmp_path / "run" / "model") == TITLED
    assert history["step"].max() == 9  # three epochs of ten notes, four at a time


@pytest.mark.parametrize("kind", ["plm_icd", "gki_icd"])
def test_rescaled_codes_are_saved_as_dev_was_scored(kind, tmp_path):
    """The saved model's own logits have the MAP and the best micro-F1 that history tells."""
    job = make_job(tmp_path, kind, settings=SETTINGS | {"calibrate_unseen": True})
    tiers = read_table(job["input"]["tiers"], "plan/tiers")
    unseen = (pl.int_range(pl.len()) > 0).cast(pl.Int64)
    write_table(tiers.with_columns(n_train=4 * unseen), job["input"]["tiers"], "plan/tiers")
    launch(job, 1)
    folder = Path(job["output"]["model"])
    coder = json.loads((folder / "coder.json").read_text())
    assert coder["rescaled_unseen"]["factor"] != 1.0
    logits, gold = predict(folder, make_tokens(6), 4), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    history = read_table(job["output"]["history"], "training/history").filter(step=coder["step"])
    told = dict(history.select("metric", "value").iter_rows())
    assert best_micro_f1(logits, gold)[1] == pytest.approx(told["eval_micro_f1"])
    assert mean_average_precision(logits, gold) == pytest.approx(told["eval_map"])
    assert best_micro_f1(logits, gold)[0] == pytest.approx(coder["threshold"]["logit"], abs=1e-4)


@pytest.mark.parametrize(("passes", "steps"), [(1, 12), (2, 21)])
def test_the_steps_of_another_train_set_follow_its_dose_and_passes(passes, steps, tmp_path):
    """Ten real notes and half of twelve: four steps an epoch where ten notes alone give three.

    Twice ten and half of twelve: seven.
    """
    job = make_job(tmp_path, "plm_icd")
    other = make_tokens(12).with_columns(anchor_id=pl.lit(1, dtype=pl.Int32))
    write_table(other, tmp_path / "other.parquet", "training/tokens")
    job["input"]["steps_of"] = [str(tmp_path / "other.parquet")]
    job["train_set"] = job["train_set"] | {"steps_of": "other"}
    job["pace"] = TRAIN_SET_DEFAULTS | {"recipes": ["paper"], "dose": 0.5, "real_passes": passes}
    launch(job, 1)
    assert read_table(job["output"]["history"], "training/history")["step"].max() == steps


@pytest.mark.parametrize("kind", ["plm_icd", pytest.param("gki_icd", marks=pytest.mark.slow)])
def test_two_processes_train_as_one_does(kind, tmp_path):
    """Ten notes, four a step: the last batch of an epoch has one note for each process."""
    logits = []
    for devices in (1, 2):
        job = make_job(tmp_path / str(devices), kind, settings=SETTINGS | {"devices": devices})
        launch(without_dropout(job), devices)
        logits.append(predict(job["output"]["model"], make_tokens(), 4))
        assert not (tmp_path / str(devices) / "run" / "checkpoints").exists()
    assert np.allclose(*logits, atol=1e-5)


@pytest.mark.slow
def test_an_error_in_one_of_two_processes_is_the_job_s_error(tmp_path):
    job = make_job(tmp_path, "plm_icd", settings=SETTINGS | {"devices": 2})
    write_table(make_tokens().clear(), job["input"]["train"], "training/tokens")
    with pytest.raises(UserError, match="the train split is empty"):
        launch(job, 2)


# Ends one of two processes in the fifth step.
ENDED = """
import os, signal, sys
from pathlib import Path
from longtail_icd.training.callbacks import Progress
from longtail_icd.training.job import main

def end(self, args, state, control, **kwargs):
    if state.global_step == 4 and os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.{signal})

Progress.on_step_begin = end
sys.exit(main(Path(sys.argv[1])))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("signal", "saved"), [("SIGKILL", 4), ("SIGTERM", 5)])
def test_two_processes_of_which_one_is_ended_resume_to_the_same_weights(signal, saved, tmp_path):
    """With dropout: each process goes on with its own random numbers. SIGTERM lets both save."""
    jobs = [
        make_job(tmp_path / name, "gki_icd", settings=SETTINGS | {"devices": 2}, save_steps=2)
        for name in ("whole", "ended")
    ]
    (tmp_path / "ended.py").write_text(ENDED.replace("{signal}", signal))
    write_json(jobs[1], tmp_path / "job.json")
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    ended = run_python(*torchrun, str(tmp_path / "ended.py"), str(tmp_path / "job.json"))
    assert ended.returncode != 0
    checkpoints = next((tmp_path / "ended" / "run" / "checkpoints").iterdir())
    assert last_checkpoint(checkpoints).name == f"checkpoint-{saved}"
    weights = []
    for job in jobs:
        launch(job, 2)
        weights.append(load_file(Path(job["output"]["model"]) / "model.safetensors"))
    for name, weight in weights[0].items():
        assert torch.equal(weight, weights[1][name]), name
