"""The conda environments agree with the pinned requirements."""

import re
from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).parents[3] / "envs"
PINNED = dict(re.findall(r"^([\w.-]+)==([\w.+-]+)$", (ENVS / "requirements.txt").read_text(), re.M))


@pytest.mark.parametrize("name", ["workflow", "torch", "workflow_torch"])
def test_environment_pins_what_the_requirements_pin(name):
    environment = yaml.safe_load((ENVS / f"{name}.yaml").read_text())
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    packages = dict(entry.split("==") for entry in environment["dependencies"][-1]["pip"])
    assert packages.items() <= PINNED.items()
