"""Nothing that derives from a restricted corpus is written anywhere but to a local folder."""

import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml
from huggingface_hub import DatasetCard
from longtail_icd.common.errors import UserError
from longtail_icd.common.files import write_json
from longtail_icd.common.tables import empty_table, write_table
from longtail_icd.generation.data_class import DATA_CLASSES
from longtail_icd.generation.endpoints.dataset_card import dataset_card
from longtail_icd.generation.endpoints.export import check_export, is_local_folder
from longtail_icd.generation.endpoints.licences import (
    CODIESP,
    CREDENTIALED,
    SIMULATED,
    UNKNOWN,
    corpus_licence,
)
from longtail_icd.generation.endpoints.save_dataset import save_dataset

ROOT = Path(__file__).parents[3]
LOCAL = ["./notes", "../notes", "/data/notes", "~/notes"]
ELSEWHERE = ["me/notes", "notes", "hf://datasets/me/notes", "https://huggingface.co/me/notes",
             "s3://bucket/notes", "host:notes", "me@host:/notes", "file:///data", ""]  # fmt: skip
MANIFEST = {
    "notes": {"ok": 3, "rejected": 1},
    "models": {"m-8b": 4},
    "data_classes": [
        {"endpoint": "http://127.0.0.1:8000/v1", "data_class": "text", "count": 3},
        {"endpoint": None, "data_class": "public", "count": 1},
    ],
    "anchors": 2,
    "missing_anchors": ["038.9"],
    "template": {"name": "paper", "version": "1f"},
    "labels": [{"role": "anchor", "verdict": "stated", "count": 3}],
}
CORPORA = [
    ({"adapter": "mimic3", "path": None}, SIMULATED),
    ({"adapter": "mimic4", "path": None}, SIMULATED),
    ({"adapter": "mimic3", "path": "/data/mimic3"}, CREDENTIALED),
    ({"adapter": "mimic4", "path": "/data/mimic4"}, CREDENTIALED),
    ({"adapter": "codiesp", "path": "/data/codiesp"}, CODIESP),
    ({"adapter": "table", "path": "/data/notes.csv"}, UNKNOWN),
]


@pytest.mark.parametrize(("corpus", "licence"), CORPORA)
def test_a_corpus_has_the_most_restricted_licence_it_may_have(corpus, licence):
    assert corpus_licence(corpus) is licence


def test_only_what_is_open_to_all_is_public():
    assert {one.public for one in (SIMULATED, CODIESP)} == {True}
    assert {one.public for one in (CREDENTIALED, UNKNOWN)} == {False}


@pytest.mark.parametrize("data_class", DATA_CLASSES)
@pytest.mark.parametrize("target", LOCAL + ELSEWHERE)
def test_derived_data_goes_to_local_folders_only(target, data_class, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_export(target, data_class, corpus_public=True)
    if target in LOCAL or data_class == "public":
        check_export(target, data_class, corpus_public=False)
    else:
        with pytest.raises(UserError, match=r"local folder \(\./NAME\)"):
            check_export(target, data_class, corpus_public=False)


def test_a_folder_that_is_there_is_local(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "me" / "notes").mkdir(parents=True)
    assert is_local_folder("me/notes") and not is_local_folder("me/other")


def card_of(path, adapter="mimic3", umls=None):
    return dataset_card(configuration(path, adapter, umls), "paper", MANIFEST)


def test_the_card_of_a_restricted_corpus_says_so():
    card = card_of("/data/mimic3", umls="/data/MRCONSO.RRF")
    fields = DatasetCard(card).data
    assert fields["pretty_name"] == "MIMIC-III-Ext-paper" and fields["license"] == "other"
    assert "PhysioNet" in fields["license_name"] and "Do not upload" in card and "UMLS" in card
    assert fields["size_categories"] == ["n<1K"] and "simulated" not in card
    assert "4 notes (3 ok" in card and "anchors: 2, 1 of them" in card and "m-8b" in card
    assert "| http://127.0.0.1:8000/v1 | text | 3 |" in card and "| nowhere | public | 1 |" in card
    assert "| anchor | stated | 3 |" in card and "`paper`, version 1f" in card
    assert "/data" not in card
    assert "# MIMIC-IV-Ext-paper\n" in card_of("/data/mimic4", "mimic4")
    assert "# mine-paper\n" in card_of("/data/notes.csv", "table")


@pytest.mark.parametrize(
    ("path", "adapter", "hub_id"), [(None, "mimic3", "mit"), ("/c", "codiesp", "cc-by-4.0")]
)
def test_the_card_of_an_open_corpus_names_its_licence(path, adapter, hub_id):
    card = card_of(path, adapter)
    fields = DatasetCard(card).data
    assert fields["license"] == hub_id and "license_name" not in fields
    assert "Do not upload" not in card and "Ext" not in fields["pretty_name"]
    assert ("The corpus is simulated" in card) == (path is None)


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results" / "mine"
    for table in ("notes", "labels"):
        path = folder / "generation" / "paper" / f"{table}.parquet"
        write_table(empty_table(f"generation/{table}"), path, f"generation/{table}")
    write_json(MANIFEST, folder / "generation" / "paper" / "manifest.json")
    return folder


def configuration(path, adapter="mimic3", umls=None):
    corpus = {"name": "mine", "adapter": adapter, "path": path, "language": "en"}
    return {"corpus": corpus, "terminology": {"umls": umls}}


@pytest.mark.parametrize(("path", "mode"), [("/data/mimic3", 0o700), (None, 0o755)])
def test_a_dataset_is_notes_labels_and_a_card(results, tmp_path, path, mode):
    target = tmp_path / "saved"
    save_dataset(results, "paper", str(target), configuration(path))
    assert sorted(path.name for path in target.iterdir()) == [
        "README.md",
        "labels.parquet",
        "notes.parquet",
    ]
    assert stat.S_IMODE(target.stat().st_mode) == mode
    assert pl.read_parquet(target / "notes.parquet").columns[0] == "request_id"
    with pytest.raises(UserError, match="it exists"):
        save_dataset(results, "paper", str(target), configuration(path))


def test_notes_from_public_prompts_still_tell_frequencies(results, tmp_path, monkeypatch):
    """A restricted corpus' recipe without a single derived prompt is refused all the same."""
    monkeypatch.chdir(tmp_path)
    public = [{"endpoint": None, "data_class": "public", "count": 4}]
    write_json({**MANIFEST, "data_classes": public}, results / "generation/paper/manifest.json")
    with pytest.raises(UserError, match="aggregate data"):
        save_dataset(results, "paper", "me/notes", configuration("/data/mimic3"))
    assert not (tmp_path / "me").exists()


def test_the_command_refuses_in_one_line(results, tmp_path):
    for name, content in {
        "config": configuration(None),
        "over": {"corpus": {"path": "/x"}},
    }.items():
        (tmp_path / "config").mkdir(exist_ok=True)
        (tmp_path / "config" / f"{name}.yaml").write_text(yaml.safe_dump(content))
    command = [sys.executable, "-m", "longtail_icd.generation.endpoints.save_dataset", "--recipe",
               "paper", "--configfile", "config/over.yaml", "--to"]  # fmt: skip
    environment = {"PATH": "/usr/bin", "PYTHONPATH": str(ROOT / "workflow" / "scripts")}

    def call(target):
        options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
        return subprocess.run([*command, target], check=False, **options)

    refused = call("me/notes")
    assert refused.returncode == 1 and refused.stderr.startswith("error: export to me/notes: made")
    assert refused.stderr.count("\n") == 1
    assert call("./saved").returncode == 0 and "Ext" in (tmp_path / "saved/README.md").read_text()
