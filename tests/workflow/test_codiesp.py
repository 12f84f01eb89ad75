"""The same workflow runs on real clinical cases."""

import os
from pathlib import Path

import polars as pl
import pytest

DATA = os.environ.get("LONGTAIL_ICD_TEST_DATA")


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="LONGTAIL_ICD_TEST_DATA is not set")
def test_codiesp_from_a_folder_on_the_command_line(changeable):
    output = changeable.snakemake(
        *("--configfile", "tests/config/tiny.yaml", "config/codiesp.yaml"),
        *("--config", f"corpus={{path: {Path(DATA) / 'codiesp'}}}"),
    )
    results = changeable.folder / "results" / "codiesp"
    page = (results / "report" / "index.html").read_text()
    assert "This corpus is simulated" not in page
    assert pl.read_parquet(results / "corpus" / "notes" / "test.parquet").height == 250
    tiers = set(pl.read_parquet(results / "plan" / "tiers.parquet")["tier"])
    assert tiers == {"head", "medium", "tail", "few_shot", "zero_shot"}, output[-500:]
