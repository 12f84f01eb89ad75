"""The drawings that the README promises, and the README's own picture."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_rule_graph_as_dot_and_mermaid(finished):
    dot = finished.snakemake("--rulegraph", "dot", "--forceall")
    assert "digraph" in dot and "train_gki_icd" in dot
    mermaid = finished.snakemake("--rulegraph", "mermaid-js", "--forceall")
    assert "flowchart" in mermaid and "train_plm_icd" in mermaid


@pytest.mark.skipif(
    not (ROOT / "workflow/scripts/write_report.py").is_file(),
    reason="no report stage yet",
)
def test_readme_shows_the_rule_graph_of_today():
    command = [sys.executable, "docs/draw_dag.py", "README.md", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
