"""The conda environments agree with the pinned requirements and hold what the scripts import."""

import ast
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from rule_files import RULES

ROOT = Path(__file__).parents[3]
ENVS = ROOT / "envs"
SCRIPTS = ROOT / "workflow" / "scripts"
PINNED = dict(re.findall(r"^([\w.-]+)==([\w.+-]+)$", (ENVS / "requirements.txt").read_text(), re.M))
DISTRIBUTIONS = packages_distributions()


def normalised(name):
    """Return a distribution's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_of(name):
    """Return the pinned packages of an environment with their versions."""
    environment = yaml.safe_load((ENVS / f"{name}.yaml").read_text())
    return dict(entry.split("==") for entry in environment["dependencies"][-1]["pip"])


def file_of(module):
    """Return the file of a module of ours, None where it is a name inside one."""
    path = SCRIPTS.joinpath(*module.split("."))
    if path.is_dir():
        return path / "__init__.py"
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else None


@cache
def imported(path):
    """Return the modules that a file imports when it is loaded; not what a function does later."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def foreign_imports(script):
    """Return the top-level modules of others that loading a script and what it imports loads."""
    found, seen, left = set(), set(), [script]
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imported(path):
            first = name.split(".")[0]
            if first != "longtail_icd":
                found.add(first)
                continue
            parts = name.split(".")
            files = (file_of(".".join(parts[:end])) for end in range(1, len(parts) + 1))
            left += [file for file in files if file is not None]
    return found - sys.stdlib_module_names


@pytest.mark.parametrize("name", ["workflow", "torch", "workflow_torch"])
def test_environment_pins_what_the_requirements_pin(name):
    environment = yaml.safe_load((ENVS / f"{name}.yaml").read_text())
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert packages_of(name).items() <= PINNED.items()


@pytest.mark.parametrize("rule", RULES)
def test_environment_holds_what_the_script_of_a_rule_imports(rule):
    script = SCRIPTS / re.search(r"scripts/(\w+\.py)", RULES[rule])[1]
    named = re.search(r"envs/(\w+)\.yaml", RULES[rule])
    # Functions choose between workflow and workflow_torch, which holds more.
    packages = packages_of(named[1] if named else "workflow")
    for module in foreign_imports(script):
        installed = {normalised(name) for name in DISTRIBUTIONS[module]}
        assert packages.keys() & installed, f"{script.name} imports {module}"


def test_imports_are_found_through_the_package():
    assert {"torch", "polars"} <= foreign_imports(SCRIPTS / "train_model.py")


def test_apptainer_definition_installs_the_pinned_requirements():
    definition = (ENVS / "longtail_icd.def").read_text()
    assert "envs/requirements.txt /opt/requirements.txt" in definition
    assert "--requirement /opt/requirements.txt" in definition
