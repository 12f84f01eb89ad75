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


PAID = """
recipes:
  planned: {writer: llm}
writers:
  llm:
    backend: openai
    base_url: http://127.0.0.1:9/v1
    model: gpt-5-mini
    max_tokens: 1500
    max_tokens_key: max_tokens
    temperature: 1.0
    top_p: 1.0
    concurrency: 8
    timeout_s: 30
    api_key_env: null
"""


def test_costs_are_known_before_anything_is_asked_for(changeable, tmp_path):
    """Nothing listens at the writer's address: a plan's cost needs no answer."""
    overlay = tmp_path / "paid.yaml"
    overlay.write_text(PAID)
    configured = ("--configfile", "tests/config/tiny.yaml", str(overlay))
    pending = changeable.pending(*configured, "--", "plan_generation")
    assert {"compose_prompts", "estimate_cost", "summarise_costs"} <= pending
    assert not pending & {"generate_notes", "train_plm_icd"}
    printed = changeable.snakemake(*configured, "--", "plan_generation")
    assert "## Recipe planned" in printed and "assumed without a pilot" in printed
    assert changeable.result("generation/plan_generation.json").is_file()
    # Asked again, it is printed again; no recipe of the plain configuration costs anything.
    again = changeable.snakemake(*configured, "--", "plan_generation")
    assert "## Recipe planned" in again and "estimate_cost" not in again
    assert "nothing to pay for" in changeable.snakemake("plan_generation")


@pytest.mark.skipif(
    not (ROOT / "workflow/scripts/write_report.py").is_file(),
    reason="no report stage yet",
)
def test_readme_shows_the_rule_graph_of_today():
    command = [sys.executable, "docs/draw_dag.py", "README.md", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
