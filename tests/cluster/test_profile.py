"""The Slurm profile names what the workflow has, and the default profile hides nothing of it."""

import yaml
from rule_files import ROOT, RULES

SLURM = yaml.safe_load((ROOT / "slurm" / "profile.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "profiles" / "default" / "profile.yaml").read_text())
MODELS = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["models"]
TRAININGS = {f"train_{model}" for model in MODELS}


def test_profile_names_only_rules_that_exist():
    """Snakemake takes a misspelt rule without a word."""
    named = set(SLURM["set-resources"]) | set(SLURM["set-threads"])
    assert named <= set(RULES) | TRAININGS


def test_default_profile_hides_no_key_of_the_slurm_profile():
    """Of a key in both, Snakemake reads the default profile's alone."""
    assert not set(SLURM) & set(DEFAULT)


def test_every_training_gets_a_gpu_and_is_told_before_its_time_is_up():
    assert not TRAININGS - set(SLURM["set-resources"])
    for rule in TRAININGS:
        asked = SLURM["set-resources"][rule]
        assert asked["gpu"] == 1 and "--signal=TERM@" in asked["slurm_extra"]
