"""The configurations that need nobody's data give a whole plan of jobs."""

from pathlib import Path

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


def lay_out_codiesp(folder: Path) -> Path:
    """Make the empty files and folders of the official layout; a dry run reads none of them."""
    for split in ("train", "dev", "test"):
        (folder / split / "text_files_en").mkdir(parents=True)
        (folder / split / f"{split}D.tsv").touch()
    (folder / "background" / "text_files_en").mkdir(parents=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overlay", "arms"),
    [(None, 12), ("codiesp_minilm", 12), ("codiesp_siblings", 3), ("codiesp_llm", 12)],
)
def test_the_study_on_codiesp_can_be_planned_with_the_corpus_in_its_place(overlay, arms, unrun):
    lay_out_codiesp(unrun.folder / "resources" / "codiesp")
    names = ["codiesp_study", *filter(None, [overlay])]
    configured = ("--configfile", *(f"config/{name}.yaml" for name in names))
    printed = unrun.snakemake("--dry-run", *configured)
    assert printed.count("rule train_gki_icd:") == 5 * arms
    assert "rule train_plm_icd:" not in printed
    assert f"results/{names[-1]}/report/index.html" in printed


@pytest.mark.slow
def test_the_study_on_codiesp_can_be_planned_with_the_corpus_elsewhere(unrun, tmp_path):
    """The background texts, which the encoder is pre-trained on, are looked for there, too."""
    folder = lay_out_codiesp(tmp_path / "elsewhere")
    printed = unrun.snakemake(
        *("--dry-run", "--configfile", "config/codiesp_study.yaml"),
        *("--config", f"corpus={{path: {folder}}}"),
    )
    assert f"{folder}/background/text_files_en" in printed
    assert "resources/codiesp" not in printed
