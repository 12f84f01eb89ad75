"""What ends a job early on a real Slurm costs little: the result is that of an undisturbed run."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import polars as pl
import pytest
import yaml
from slurm_cluster import call, needs_slurm, on_slurm
from stand_in_server import StandInServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200), *needs_slurm()]

START_SLURM = Path(__file__).with_name("start_slurm.sh")
TINY = "tests/config/tiny.yaml"
# With as many threads as without a cluster: the sums of more would differ in the last bits.
CONFIG = ("--configfile", TINY, "--set-threads", "train_plm_icd=1")
MODEL = "training/plm_icd/original/seed1/model"
SHARD = "generation/paper/responses/000.parquet"
AT_ONCE = 2


def configure(checkout, **changes):
    """Change blocks of the small configuration of the tests."""
    path = checkout.folder / TINY
    config = yaml.safe_load(path.read_text())
    for block, values in changes.items():
        config.setdefault(block, {}).update(values)
    path.write_text(yaml.safe_dump(config))


def weights(checkout):
    return checkout.result(f"{MODEL}/model.safetensors").read_bytes()


@pytest.fixture
def training(changeable):
    """Return a finished checkout without its model, and the weights that it had."""
    expected = weights(changeable)
    shutil.rmtree(changeable.result(MODEL))
    return changeable, expected


@pytest.fixture(scope="module")
def long_training(finished, tmp_path_factory):
    """Return a checkout whose model takes a minute to train, and the weights that it gets."""
    folder = tmp_path_factory.mktemp("long") / "checkout"
    shutil.copytree(finished.folder, folder, symlinks=True)
    checkout = type(finished)(folder)
    configure(checkout, models={"plm_icd": {"epochs": 150}})
    checkout.snakemake(f"results/tiny/{MODEL}")
    return checkout, weights(checkout)


def interrupted_training(long_training, interrupt, *arguments):
    """Train on Slurm, interrupted; return how the attempts ended and the log of all."""
    checkout, expected = long_training
    shutil.rmtree(checkout.result(MODEL))
    with on_slurm(checkout.folder, *CONFIG, *arguments, "--", f"results/tiny/{MODEL}") as run:
        interrupt(run, checkout)
        run.end()
        states = run.states("train_plm_icd")
    assert weights(checkout) == expected
    assert states[-1] == "COMPLETED" and len(states) > 1
    return states, run.output


def has_learnt(checkout):
    """Say whether the training under way has begun."""
    return (
        "epoch" in (checkout.folder / "logs/tiny/training/plm_icd/original/seed1.log").read_text()
    )


def test_a_cancelled_training_goes_on_from_its_last_step(long_training):
    log = long_training[0].folder / "logs/tiny/training/plm_icd/original/seed1.log"
    log.unlink()

    def cancel(run, checkout):
        job = run.job_of("train_plm_icd", "RUNNING")
        run.wait_until(lambda: log.is_file() and has_learnt(checkout))
        call("scancel", job)

    states, output = interrupted_training(long_training, cancel)
    assert states == ["CANCELLED", "COMPLETED"]
    assert "ended by SIGTERM; checkpoint-" in output
    assert "resuming from checkpoint-" in log.read_text()


def test_a_training_over_its_time_limit_goes_on_from_its_last_step(long_training):
    told = "'--signal=TERM@10'"
    states, _ = interrupted_training(
        long_training,
        lambda *_: None,
        *("--retries", "5", "--set-resources", "train_plm_icd:runtime=1"),
        f"train_plm_icd:slurm_extra={told!r}",
    )
    assert set(states[:-1]) <= {"FAILED", "TIMEOUT"}
    log = long_training[0].folder / "logs/tiny/training/plm_icd/original/seed1.log"
    assert "resuming from checkpoint-" in log.read_text()


def test_a_job_that_runs_out_of_memory_is_tried_again_with_more(training):
    checkout, expected = training
    grows = ("--set-resources", "train_plm_icd:mem_mb=attempt**3 * 150")
    with on_slurm(checkout.folder, *CONFIG, *grows, "--", f"results/tiny/{MODEL}") as run:
        run.end()
        jobs = run.jobs()
    assert weights(checkout) == expected
    assert [job["ReqMem"] for job in jobs] == ["150M", "1200M"]
    assert jobs[0]["State"] != "COMPLETED" and jobs[1]["State"] == "COMPLETED"
    killed = checkout.folder.glob(f"logs/slurm/**/{jobs[0]['JobID']}.log")
    assert "exceeded memory limit" in next(killed).read_text()


def test_a_drained_node_holds_jobs_back_and_loses_none(training):
    checkout, expected = training
    node = call("hostname", "-s").strip()
    checkout.result("training/tokens/dev.arrow").unlink()
    with on_slurm(checkout.folder, *CONFIG, "--", f"results/tiny/{MODEL}") as run:
        run.job_of("tokenize_notes", "RUNNING")
        call("scontrol", "update", f"node={node}", "state=drain", "reason=test")
        try:
            run.job_of("train_plm_icd", "PENDING")
        finally:
            call("scontrol", "update", f"node={node}", "state=resume")
        run.end()
        assert run.states("tokenize_notes") == run.states("train_plm_icd") == ["COMPLETED"]
    assert weights(checkout) == expected


def test_a_controller_that_is_restarted_loses_no_job(training):
    checkout, expected = training
    with on_slurm(checkout.folder, *CONFIG, "--", f"results/tiny/{MODEL}") as run:
        run.job_of("train_plm_icd", "RUNNING")
        call(str(START_SLURM), "restart_controller")
        run.end()
        assert run.states("train_plm_icd") == ["COMPLETED"]
    assert weights(checkout) == expected


@pytest.fixture
def asking(changeable):
    """Yield a checkout with one shard of prompts for a server that takes its time, and that."""
    with StandInServer(latency_s=0.25, answer_bytes=1500) as server:
        configure(
            changeable,
            writers={"served": server.writer(concurrency=AT_ONCE)},
            generation={"shards": 1},
            recipes={"paper": {"allocation": {"cap": 12, "zero_shot": 12}, "writer": "served"}},
        )
        changeable.snakemake(
            "--until", "compose_prompts", "learn_train_facts", "--", f"results/tiny/{SHARD}"
        )
        yield changeable, server


def undisturbed(checkout, folder):
    """Return the shard that a run without a cluster writes, with a journal of its own."""
    shutil.copytree(checkout.folder, folder, symlinks=True)
    shutil.rmtree(folder / "results/journal", ignore_errors=True)
    other = type(checkout)(folder)
    other.result(SHARD).unlink(missing_ok=True)
    other.snakemake(f"results/tiny/{SHARD}")
    return pl.read_parquet(other.result(SHARD))


def check_shard(checkout, server, folder, kills):
    """The shard is that of an undisturbed run; only what was under way was asked for again."""
    written = pl.read_parquet(checkout.result(SHARD))
    asked = sum(server.answered.values()) - len(server.answered)
    assert asked <= kills * AT_ONCE
    assert written.equals(undisturbed(checkout, folder / "undisturbed"))


def test_a_cancelled_shard_goes_on_from_the_journal(asking, tmp_path):
    checkout, server = asking
    with on_slurm(checkout.folder, *CONFIG, "--", f"results/tiny/{SHARD}") as run:
        job = run.job_of("generate_notes", "RUNNING")
        run.wait_until(lambda: len(server.requests) > 10)
        call("scancel", job)
        run.end()
        assert run.states("generate_notes") == ["CANCELLED", "COMPLETED"]
    check_shard(checkout, server, tmp_path, kills=1)


def test_snakemake_killed_and_started_again_finishes_the_run(asking, tmp_path):
    """Its job is cancelled and the folder unlocked by hand, as docs/cluster.md says."""
    checkout, server = asking
    arguments = (*CONFIG, "--", f"results/tiny/{SHARD}")
    with on_slurm(checkout.folder, *arguments) as run:
        run.job_of("generate_notes", "RUNNING")
        run.wait_until(lambda: len(server.requests) > 10)
        os.kill(run.process.pid, signal.SIGKILL)
    checkout.snakemake("--unlock")
    with on_slurm(checkout.folder, *arguments) as run:
        run.end()
    check_shard(checkout, server, tmp_path, kills=1)


def test_a_full_disk_fails_one_job_and_loses_no_answer(asking, tmp_path):
    checkout, server = asking
    journal = checkout.folder / "results/journal"
    journal.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "full", str(journal)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    arguments = (*CONFIG, "--retries", "0", "--", f"results/tiny/{SHARD}")
    try:
        with on_slurm(checkout.folder, *arguments) as run:
            assert run.process.wait() == 1
            assert "No space left on device" in run.output
        assert not checkout.result(SHARD).exists()
        assert len(server.answered) > 5
        call("mount", "-o", "remount,size=64m", str(journal))
        with on_slurm(checkout.folder, *arguments) as run:
            run.end()
        check_shard(checkout, server, tmp_path, kills=1)
    finally:
        call("umount", str(journal))
