"""A part of the workflow through a real Slurm."""

import re
import shutil

import pytest
import yaml
from rule_files import ROOT, RULES, asks_for
from slurm_cluster import needs_slurm, on_slurm

PROFILE = yaml.safe_load((ROOT / "slurm" / "profile.yaml").read_text())
# The node says that it has more CPUs than the machine: the profile's four threads in each of two
# trainings would wait for each other most of the time.
THREADS = {"train_plm_icd": 1, "train_gki_icd": 1, "predict_codes": 1}
ONE_THREAD = ("--set-threads", *(f"{rule}={count}" for rule, count in THREADS.items()))
CONFIG = ("--configfile", "tests/config/tiny.yaml", "--")

pytestmark = needs_slurm()


def check_asked(jobs, threads=PROFILE["set-threads"]):
    """Hold the jobs in the accounting against what their rules and the profile declare."""
    for job in jobs:
        comment = job["Comment"]
        name = re.match(r"rule_(\w+?)(_wildcards_|$)", comment)[1]
        trains = name.startswith("train_")
        gpus = PROFILE["set-resources"].get(name, {}).get("gpu", 0)
        rule = RULES["train_{_model}" if trains else name]
        assert job["State"] == "COMPLETED", comment
        assert job["Partition"] == ("gpu" if gpus else "cpu"), comment
        assert ("gres/gpu=1" in job["ReqTRES"]) == bool(gpus), comment
        assert int(job["TimelimitRaw"]) == asks_for(rule, "runtime"), comment
        memory = asks_for(rule, "mem_mb") or 2000  # screening_memory
        assert job["ReqMem"] == f"{memory}M", comment
        assert int(job["ReqCPUS"]) == threads.get(name, 1), comment


@pytest.mark.timeout(7200)  # the wait for other tests on the Slurm counts
def test_two_models_train_at_once_each_on_a_gpu_of_its_own(changeable):
    """Three jobs of a finished run are lost: a CPU's, and two trainings that wait for it."""
    models = [f"training/{model}/original/seed1/model" for model in ("plm_icd", "gki_icd")]
    weights = [changeable.result(f"{model}/model.safetensors") for model in models]
    for model in models:
        shutil.rmtree(changeable.result(model))
    changeable.result("training/tokens/dev.arrow").unlink()
    with on_slurm(changeable.folder, *CONFIG, *(f"results/tiny/{one}" for one in models)) as run:
        run.end()
        jobs = run.jobs()
    assert all(one.is_file() for one in weights)
    check_asked(jobs)
    tokenized, *trained = jobs
    assert tokenized["Comment"].startswith("rule_tokenize_notes")
    assert {job["Comment"].split("_wildcards")[0] for job in trained} == {
        "rule_train_plm_icd",
        "rule_train_gki_icd",
    }
    one, other = trained
    assert one["Start"] < other["End"] and other["Start"] < one["End"]


@pytest.mark.slow
@pytest.mark.timeout(7200)  # every job starts Snakemake twice
def test_the_whole_demo(unrun):
    """From nothing to the report by the literal command, its threads aside."""
    with on_slurm(unrun.folder, *ONE_THREAD) as run:
        run.end()
        jobs = run.jobs()
    assert (unrun.folder / "results/demo/report/index.html").is_file()
    assert len(jobs) > 50
    check_asked(jobs, THREADS)


# A job longer than its minute, which saves what it has when it is told and goes on from there.
TOLD = """
import pathlib, signal, sys, time

saved = pathlib.Path("saved")
if saved.exists():
    pathlib.Path(snakemake.output[0]).touch()
    sys.exit()

def save(*_):
    saved.touch()
    sys.exit(1)

signal.signal(signal.SIGTERM, save)
time.sleep(300)
"""
SNAKEFILE = """
rule all:
    input: "done"

rule train:
    output: "done"
    resources: runtime=1, slurm_extra="'--signal=TERM@20'"
    script: "told.py"
"""


@pytest.mark.slow
def test_a_job_is_told_before_its_time_is_up_and_its_next_attempt_goes_on(tmp_path):
    """The signal reaches the script behind both of the executor's own processes."""
    shutil.copytree(ROOT / "slurm", tmp_path / "slurm")
    (tmp_path / "told.py").write_text(TOLD)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    with on_slurm(tmp_path, "--set-resources", "train:mem_mb=1000") as run:
        run.end()
    assert (tmp_path / "saved").is_file() and (tmp_path / "done").is_file()
