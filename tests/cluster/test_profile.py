"""`snakemake --profile slurm` works from the root and asks for what the rules need."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SLURM = yaml.safe_load((ROOT / "slurm" / "profile.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "profiles" / "default" / "profile.yaml").read_text())


def _snakemake(*arguments):
    command = [str(Path(sys.executable).parent / "snakemake"), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_profile_names_only_rules_that_exist():
    rules = set(_snakemake("--list-rules").split())
    assert set(SLURM["set-resources"]) <= rules


def test_default_profile_hides_no_key_of_the_slurm_profile():
    assert not set(SLURM) & set(DEFAULT)


def test_every_model_rule_gets_a_gpu():
    models = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["models"]
    for model in models:
        assert SLURM["set-resources"][f"train_{model}"]["gpu"] == 1


@pytest.mark.skipif(
    not (ROOT / "workflow/scripts/split_corpus.py").is_file(), reason="no corpus stage, no DAG yet"
)
def test_dry_run_with_the_profile_shows_gpu_memory_and_runtime():
    output = _snakemake("--profile", "slurm", "--dry-run", "--forceall")
    block = output.split("rule train_gki_icd:")[1].split("\n\n")[0]
    assert "gpu=1" in block and "mem_mb=" in block and "runtime=" in block
