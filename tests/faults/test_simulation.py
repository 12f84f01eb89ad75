"""A simulation that dies while it writes leaves whole files or none, and says so in one line."""

import gzip
import importlib.util
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import yaml
from longtail_icd.common.errors import UserError
from longtail_icd.common.script import run
from longtail_icd.corpus.simulator import mimic_tables
from longtail_icd.corpus.simulator.blocks import write_notes
from longtail_icd.corpus.simulator.mimic_tables import mimic_table, write_hospital
from longtail_icd.corpus.simulator.summaries import Block

ROOT = Path(__file__).parents[2]


def test_no_half_written_table(tmp_path, monkeypatch):
    codes = pl.DataFrame({"ICD9_CODE": ["0117"], "SHORT_TITLE": ["a"], "LONG_TITLE": ["b"]})
    tables = {name: mimic_table(codes, name) for name in ("D_ICD_DIAGNOSES", "D_ICD_PROCEDURES")}
    compress = gzip.compress

    def fail_on_the_second(data, **options):
        if (tmp_path / "D_ICD_DIAGNOSES.csv.gz").exists():
            raise OSError("no space left on device")
        return compress(data, **options)

    monkeypatch.setattr(mimic_tables.gzip, "compress", fail_on_the_second)
    with pytest.raises(OSError, match="no space"):
        write_hospital(tables, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["D_ICD_DIAGNOSES.csv.gz"]
    assert b"0117" in gzip.decompress((tmp_path / "D_ICD_DIAGNOSES.csv.gz").read_bytes())


def _blocks(number):
    return [Block(one, [], [], np.zeros(0)) for one in range(number)]


class Failing:
    """An author that writes one block and fails on the next."""

    quotes = "necessary"

    def frame(self, rng, block):
        if block.number == 1:
            raise OSError("no space left on device")
        return pl.DataFrame({"TEXT": ["a"]})


class Deadly:
    """An author that kills the process it is sent to, as the system does when memory runs out."""

    quotes = "necessary"

    def __reduce__(self):
        return os._exit, (1,)


def test_notes_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "NOTEEVENTS.csv.gz"
    path.write_bytes(b"an older complete file")
    with pytest.raises(OSError, match="no space"):
        write_notes(Failing(), np.random.SeedSequence(1), _blocks(3), 3, path, 1)
    assert [one.name for one in tmp_path.iterdir()] == ["NOTEEVENTS.csv.gz"]
    assert path.read_bytes() == b"an older complete file"


def test_a_killed_process_is_one_clear_error_and_no_file(tmp_path):
    path = tmp_path / "NOTEEVENTS.csv.gz"
    with pytest.raises(UserError, match=r"was killed.*more memory or fewer threads"):
        write_notes(Deadly(), np.random.SeedSequence(1), _blocks(9), 9, path, 2)
    assert list(tmp_path.iterdir()) == []


def _run_rule(folder, **changes):
    """Run the rule's script as Snakemake does; return what the user would see."""
    path = ROOT / "workflow" / "scripts" / "simulate_hospital.py"
    spec = importlib.util.spec_from_file_location("simulate_hospital", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    resources = ROOT / "resources"
    files = {"ranges": resources / "icd9_ranges.csv", "prose": resources / "hospital_prose.yaml"}
    job = SimpleNamespace(
        rule="simulate_hospital",
        input=SimpleNamespace(**files | changes.pop("files", {})),
        output=[str(folder / "out" / f"{name}.csv.gz") for name in ("NOTEEVENTS", "PATIENTS")],
        params=SimpleNamespace(simulation=config["corpus"]["simulation"] | changes),
        threads=1,
        log=[str(folder / "log")],
    )
    with pytest.raises(SystemExit) as stopped:
        run(script.main, job)
    assert not (folder / "out").exists()
    return str(stopped.value)


def test_a_hospital_of_more_codes_than_there_are(tmp_path):
    message = _run_rule(tmp_path, documents=5, codes=99_999)
    assert "corpus.simulation.codes: 99999" in message
    assert message.count("\n") == 0


def test_a_hospital_without_its_prose(tmp_path):
    message = _run_rule(
        tmp_path, documents=5, codes=9, phenotypes=2, files={"prose": "gone/prose.yaml"}
    )
    assert "gone/prose.yaml: no such file" in message
