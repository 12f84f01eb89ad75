"""A part of the workflow through a real Slurm; tests/cluster/start_slurm.sh starts one."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rule_files import ROOT, RULES, asks_for

SNAKEMAKE = Path(sys.executable).parent / "snakemake"
PROFILE = yaml.safe_load((ROOT / "slurm" / "profile.yaml").read_text())
MODEL = "results/tiny/training/plm_icd/original/seed1/model"


def _answers():
    """Say whether a controller answers."""
    if shutil.which("scontrol") is None:
        return False
    ping = subprocess.run(["scontrol", "ping"], capture_output=True, check=False)
    return ping.returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.skipif(not _answers(), reason="no Slurm: tests/cluster/start_slurm.sh start"),
]


def snakemake(folder, *arguments):
    """Run Snakemake on Slurm and return its status and what it printed."""
    quick = ("--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "5")
    done = subprocess.run(
        [SNAKEMAKE, "--profile", "slurm", *quick, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def accounted(output):
    """Return what accounting says of the jobs of a run, by the comment of each."""
    run = re.search(r"SLURM run ID: (\S+)", output)[1]
    fields = ("Comment", "State", "Partition", "ReqCPUS", "ReqMem", "TimelimitRaw", "ReqTRES")
    command = ["sacct", "--allocations", "--noheader", "--parsable2", "--name", run]
    done = subprocess.run(
        [*command, f"--format={','.join(fields)}"], capture_output=True, text=True, check=True
    )
    rows = (line.split("|") for line in done.stdout.splitlines())
    return {row[0]: dict(zip(fields, row, strict=True)) for row in rows}


@pytest.mark.timeout(3600)  # every job starts Snakemake twice
def test_jobs_run_where_and_with_what_their_rules_declare(checkout):
    """From the simulated hospital to a trained model."""
    status, output = snakemake(checkout, "--configfile", "tests/config/tiny.yaml", "--", MODEL)
    assert status == 0, output[-6000:]
    assert (checkout / MODEL / "model.safetensors").is_file()
    jobs = accounted(output)
    assert len(jobs) >= 9
    for comment, job in jobs.items():
        name = re.match(r"rule_(\w+?)(_wildcards_|$)", comment)[1]
        trains = name == "train_plm_icd"
        rule = RULES["train_{_model}" if trains else name]
        assert job["State"] == "COMPLETED", comment
        assert job["Partition"] == ("gpu" if trains else "cpu"), comment
        assert ("gres/gpu=1" in job["ReqTRES"]) == trains, comment
        assert int(job["TimelimitRaw"]) == asks_for(rule, "runtime"), comment
        assert job["ReqMem"] == f"{asks_for(rule, 'mem_mb')}M", comment
        assert int(job["ReqCPUS"]) == PROFILE["set-threads"].get(name, 1), comment


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


def test_a_job_is_told_before_its_time_is_up_and_its_next_attempt_goes_on(tmp_path):
    """The signal reaches the script behind both of the executor's own processes."""
    shutil.copytree(ROOT / "slurm", tmp_path / "slurm")
    (tmp_path / "told.py").write_text(TOLD)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    _, output = snakemake(tmp_path, "--set-resources", "train:mem_mb=1000")
    assert (tmp_path / "saved").is_file(), output
    assert (tmp_path / "done").is_file(), output
