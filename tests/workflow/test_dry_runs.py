"""Every configuration that comes with the project gives a whole plan of jobs."""

import shutil

import pytest
import yaml
from checkouts import copy_checkout
from rule_files import ROOT

# Overlays that stand over another, and which.
OVER = {
    **dict.fromkeys(("mimic3_50", "mimic3_clean", "mimic4_icd10", "mimic4_icd9"), "mimic3_full"),
    **{
        f"codiesp_{name}": "codiesp_study"
        for name in ("larger", "llm", "more", "scratch", "siblings")
    },
    "codiesp_siblings_four": "codiesp_siblings",
}
NAMES = sorted(path.stem for path in (ROOT / "config").glob("*.yaml") if path.stem != "config")
SPLITS = ("train", "dev", "test")
MIMIC4_CODES = ("diagnoses_icd", "procedures_icd", "admissions", "patients")
MIMIC3 = ("NOTEEVENTS", "DIAGNOSES_ICD", "PROCEDURES_ICD", "ADMISSIONS", "PATIENTS")
# What a user has to bring, where the configurations look for it; a plan does not look into it.
FILES = [
    "data/notes.csv",
    "resources/codiesp/background/text_files_en/one.txt",
    "data/RoBERTa-base-PM-M3-Voc-distill-align-hf/config.json",
    "data/mimiciii_split_50/TOP_50_CODES.csv",
    "data/mimiciv/note/discharge.csv.gz",
    *(f"data/mimiciii/{table}.csv.gz" for table in MIMIC3),
    *(f"data/mimiciv/hosp/{table}.csv.gz" for table in MIMIC4_CODES),
    *(f"data/mimiciii_split/{split}_full_hadm_ids.csv" for split in SPLITS),
    *(f"data/mimiciii_split_50/{split}_50_hadm_ids.csv" for split in SPLITS),
    *(
        f"data/{one}_split/{split}_hadm_ids.csv"
        for one in ("mimiciii_clean", "mimiciv_icd9", "mimiciv_icd10")
        for split in SPLITS
    ),
    *(f"resources/codiesp/{split}/{split}{kind}.tsv" for split in SPLITS for kind in "DP"),
    *(f"resources/codiesp/{split}/text_files_en/one.txt" for split in SPLITS),
]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    """Return a checkout with an empty file for everything that a user has to bring."""
    checkout = copy_checkout(tmp_path_factory.mktemp("stocked") / "checkout")
    for name in FILES:
        path = checkout.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return checkout


def stack_of(name):
    return [*stack_of(OVER[name]), name] if name in OVER else [name]


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_can_be_planned_to_its_report(name, stocked):
    stack = stack_of(name)
    pending = stocked.pending("--configfile", *(f"config/{one}.yaml" for one in stack))
    trained = "train_plm_ca" if "codiesp_study" in stack else "train_gki_icd"
    assert {"prepare_corpus", trained, "compare_runs", "write_report"} <= pending


@pytest.mark.slow
def test_a_thousand_shards_can_be_planned(unrun, tmp_path):
    """Names of 000 to 999 and from 1000 on are the same wildcard."""
    overlay = tmp_path / "shards.yaml"
    overlay.write_text("generation: {shards: 1001}")
    configured = ("--configfile", "tests/config/tiny.yaml", str(overlay))
    printed = unrun.snakemake("--dry-run", *configured)
    assert "generation/paper/responses/1000.parquet" in printed
    assert printed.count("rule generate_notes:") == 1001


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overlays", "corpus", "arms"),
    [
        ([], "codiesp_study", 7),
        (["codiesp_more"], "codiesp_study", 11),
        (["codiesp_larger"], "codiesp_larger", 3),
        (["codiesp_scratch"], "codiesp_scratch", 3),
        (["codiesp_siblings"], "codiesp_siblings", 3),
        (["codiesp_siblings", "codiesp_siblings_four"], "codiesp_siblings", 5),
        (["codiesp_llm"], "codiesp_llm", 7),
    ],
)
def test_the_study_on_codiesp_can_be_planned_with_the_corpus_in_its_place(
    overlays, corpus, arms, stocked
):
    names = ["codiesp_study", *overlays]
    configured = ("--configfile", *(f"config/{name}.yaml" for name in names))
    printed = stocked.snakemake("--dry-run", *configured)
    assert printed.count("rule train_plm_ca:") == 5 * arms
    assert "rule train_plm_icd:" not in printed
    assert ("rule fetch_encoder:" in printed) == (
        corpus not in ("codiesp_larger", "codiesp_scratch")
    )
    assert f"results/{corpus}/report/index.html" in printed


@pytest.mark.parametrize(("table", "more"), [("study", "more"), ("siblings", "siblings_four")])
def test_more_arms_leave_a_table_its_comparisons(table, more):
    """A list in an overlay takes the place of the whole list, and with it of the study's claims."""
    own, longer = (
        yaml.safe_load((ROOT / "config" / f"codiesp_{name}.yaml").read_text())["comparisons"]
        for name in (table, more)
    )
    assert longer[: len(own)] == own


@pytest.mark.slow
def test_the_study_on_codiesp_can_be_planned_with_the_corpus_elsewhere(stocked, tmp_path):
    """The background texts, which an encoder is pre-trained on, are looked for there, too."""
    folder = tmp_path / "elsewhere"
    shutil.copytree(stocked.folder / "resources/codiesp", folder)
    printed = stocked.snakemake(
        *("--dry-run", "--configfile", "config/codiesp_study.yaml", "config/codiesp_scratch.yaml"),
        *("--config", f"corpus={{path: {folder}}}"),
    )
    assert f"{folder}/background/text_files_en" in printed
    assert "resources/codiesp" not in printed
