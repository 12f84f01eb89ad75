"""The configurations that need nobody's data give a whole plan of jobs."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["demo_study", "demo_disjoint", "simulated_full", "simulated_mimic4"]
)
def test_an_overlay_can_be_planned_to_its_report(name, unrun):
    pending = unrun.pending("--configfile", f"config/{name}.yaml")
    assert {"simulate_hospital", "train_gki_icd", "compare_runs", "write_report"} <= pending


@pytest.mark.slow
def test_a_thousand_shards_can_be_planned(unrun, tmp_path):
    """Names of 000 to 999 and from 1000 on are the same wildcard."""
    overlay = tmp_path / "shards.yaml"
    overlay.write_text("generation: {shards: 1001}")
    configured = ("--configfile", "tests/config/tiny.yaml", str(overlay))
    printed = unrun.snakemake("--dry-run", *configured)
    assert "generation/paper/responses/1000.parquet" in printed
    assert printed.count("rule generate_notes:") == 1001
