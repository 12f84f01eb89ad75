"""What `snakemake --profile slurm` asks Slurm for: by the executor's own functions, by a double."""

import argparse
import json
import logging
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from rule_files import ROOT, RULES, asks_for, is_local
from snakemake_executor_plugin_slurm.partitions import get_best_partition, read_partition_file
from snakemake_executor_plugin_slurm.submit_string import get_submit_command

SNAKEMAKE = Path(sys.executable).parent / "snakemake"
PROFILE = yaml.safe_load((ROOT / "slurm" / "profile.yaml").read_text())
PARTITIONS = read_partition_file(ROOT / "slurm" / "partitions.yaml")
ASKED = argparse.ArgumentParser(prefix_chars="-")
ASKED.add_argument("--comment")
ASKED.add_argument("--mem", type=int)
ASKED.add_argument("-t", dest="runtime", type=int)
ASKED.add_argument("-p", dest="partition")
ASKED.add_argument("-A", dest="account")
ASKED.add_argument("--cpus-per-task", type=int)
ASKED.add_argument("--gpus", type=int, default=0)
ASKED.add_argument("--signal")


class Resources(dict):
    """Resources as the executor reads them: by key and as attributes."""

    __getattr__ = dict.__getitem__


def read_jobs(dry_run):
    """Return each job that a dry run prints as the executor sees it, with its rule's name."""
    jobs = []
    for block in re.split(r"^(?=rule \w+:$)", dry_run, flags=re.M)[1:]:
        rule = re.match(r"rule (\w+):", block)[1]
        fields = dict(re.findall(r"^    (\w+): (.+)$", block, re.M))
        found = re.findall(r"(\w+)=([^,\n]+)", fields["resources"])
        resources = Resources(
            {name: int(value) if value.isdigit() else value for name, value in found}
        )
        threads = int(fields.get("threads", 1))
        jobs.append(SimpleNamespace(name=rule, resources=resources, threads=threads))
    return jobs


def submitted(job):
    """Return the arguments that the executor gives sbatch for a job."""
    partition = get_best_partition(PARTITIONS, job, logging.getLogger())
    params = {
        "run_uuid": "run",
        "slurm_logfile": "log",
        "comment_str": job.name,
        "account": f"-A {job.resources.slurm_account}",
        "partition": f"-p {partition}",
        "workdir": ".",
    }
    return ASKED.parse_known_args(shlex.split(get_submit_command(job, params)))[0]


def snakemake(checkout, *arguments, environment=None):
    """Run Snakemake with the profile and the small configuration of the tests."""
    command = [SNAKEMAKE, "--profile", "slurm", "--configfile", "tests/config/tiny.yaml"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def test_every_job_asks_for_what_its_rule_declares(checkout):
    jobs = [
        job
        for job in read_jobs(snakemake(checkout, "--dry-run", "--cores", "32"))
        if job.name != "all" and not (job.name in RULES and is_local(job.name))
    ]
    assert len({job.name for job in jobs}) > 30
    for job in jobs:
        asked = submitted(job)
        rule = RULES["train_{_model}" if job.name.startswith("train_") else job.name]
        assert asked.runtime == asks_for(rule, "runtime"), job.name
        assert asked.mem == (asks_for(rule, "mem_mb") or 2000), job.name  # screening_memory
        gpus = PROFILE["set-resources"].get(job.name, {}).get("gpu", 0)
        assert asked.partition == ("gpu" if gpus else "cpu"), job.name
        assert asked.cpus_per_task == PROFILE["set-threads"].get(job.name, 1), job.name
        assert asked.account == PROFILE["default-resources"]["slurm_account"]
        assert asked.signal == ("TERM@180" if job.name.startswith("train_") else None)


@pytest.mark.parametrize("name", [name for name in RULES if not is_local(name)])
def test_the_last_attempt_still_fits_a_partition(name):
    """Else a job that ran out of memory would come back on a partition that cannot run it."""
    attempt = PROFILE["retries"] + 1
    partition = "gpu" if name in PROFILE["set-resources"] or name.startswith("train_") else "cpu"
    limits = next(one.limits for one in PARTITIONS if one.name == partition)
    assert asks_for(RULES[name], "mem_mb", attempt) <= limits.max_mem_mb
    assert asks_for(RULES[name], "runtime", attempt) <= limits.max_runtime


@pytest.fixture
def double(tmp_path):
    """Return the double's folder of notes and an environment whose Slurm is the double."""
    clients, notes = tmp_path / "bin", tmp_path / "notes"
    clients.mkdir()
    notes.mkdir()
    for name in ("sbatch", "sacct", "squeue", "sacctmgr", "scontrol", "sinfo", "scancel"):
        (clients / name).symlink_to(ROOT / "tests" / "cluster" / "slurm_double.py")
    path = f"{clients}{os.pathsep}{os.environ['PATH']}"
    return notes, os.environ | {"PATH": path, "SLURM_DOUBLE": str(notes)}


def test_the_executor_submits_with_the_profile_and_sees_jobs_end(checkout, double):
    """A rule of each partition, through the executor as it is."""
    notes, environment = double
    run = "plm_icd/original/seed1"
    excludes = "results/tiny/terminology/excludes.parquet"
    scores = f"results/tiny/evaluation/{run}/scores/dev.safetensors"
    measured = f"results/tiny/benchmarks/evaluation/predict_codes/{run}/dev.tsv"
    made = {
        "rule_extract_excludes": [excludes],
        "rule_predict_codes_wildcards_plm_icd_original_1_dev": [scores, measured],
    }
    (notes / "outputs.json").write_text(json.dumps(made))
    for source in (
        f"results/tiny/training/{run}/model/x",
        "results/tiny/training/tokens/dev.arrow",
    ):
        (checkout / source).parent.mkdir(parents=True, exist_ok=True)
        (checkout / source).touch()
    snakemake(
        checkout,
        *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "1"),
        *("--allowed-rules", "predict_codes", "extract_excludes"),
        *("--", excludes, scores),
        environment=environment,
    )
    notes = [json.loads(path.read_text()) for path in notes.glob("[0-9]*.json")]
    asked = {one.comment: one for one in (ASKED.parse_known_args(note)[0] for note in notes)}
    assert set(asked) == set(made)
    light, heavy = (asked[comment] for comment in made)
    assert (light.partition, light.gpus, light.cpus_per_task) == ("cpu", 0, 1)
    assert (light.mem, light.runtime) == (2000, 10)
    assert (heavy.partition, heavy.gpus, heavy.cpus_per_task) == ("gpu", 1, 4)
    assert (heavy.mem, heavy.runtime) == (16000, 120)
