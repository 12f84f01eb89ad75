"""The manifest counts what the split corpus holds and sets it beside what was published."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import yaml
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import ROWS_PER_GROUP, TABLES, sink_table, write_table
from longtail_icd.corpus.describe import as_table, describe, spread
from longtail_icd.corpus.manifest import describe_file
from longtail_icd.corpus.published import compare, find_figure, read_published
from pyarrow import parquet

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "resources" / "published_figures.yaml"
SPLITS = ("train", "dev", "test")
TIERS = {"head": 4, "medium": 3, "tail": 2}
SECRET = "Mr.\tSecret's\n  note"  # three words

# Per split, each document's patient and codes.
DOCUMENTS = {
    "train": [("p1", "abc"), ("p1", "ab"), ("p2", "a"), ("p3", "a"), ("p3", "")],
    "dev": [("p4", "ax")],
    "test": [("p5", "abxy"), ("p6", "y")],
}


@pytest.fixture
def tables(tmp_path):
    """Write the split corpus; return paths of notes and labels by split."""
    paths = {"notes": {}, "labels": {}}
    for split, documents in DOCUMENTS.items():
        ids = [f"{split}{number}" for number in range(len(documents))]
        notes = pl.DataFrame(
            {
                "note_id": ids,
                "patient_id": [patient for patient, _ in documents],
                "time": None,
                "sex": "F",
                "age": 50.0,
                "text": SECRET,
            },
            schema=TABLES["corpus/notes"].columns,
        )
        labels = pl.DataFrame(
            [
                (note, "icd9cm", code, "procedure" if code == "y" else "diagnosis", position)
                for note, (_, codes) in zip(ids, documents, strict=True)
                for position, code in enumerate(codes, start=1)
            ],
            schema=TABLES["corpus/labels"].columns,
            orient="row",
        )
        for name, table in (("notes", notes), ("labels", labels)):
            paths[name][split] = tmp_path / f"{name}_{split}.parquet"
            write_table(table, paths[name][split], f"corpus/{name}")
    return paths


@pytest.fixture
def figures(tables):
    return describe(tables["notes"], tables["labels"], TIERS)


def test_documents_patients_labels_and_codes_by_hand(figures):
    assert figures["documents"] == {"train": 5, "dev": 1, "test": 2, "all": 8}
    assert figures["patients"] == {"train": 3, "dev": 1, "test": 2, "all": 6}
    assert figures["documents_without_codes"] == {"train": 1, "dev": 0, "test": 0, "all": 1}
    assert figures["labels"] == {"train": 7, "dev": 2, "test": 5, "all": 14}
    assert figures["codes"] == {
        **{"train": 3, "dev": 2, "test": 4, "all": 5},
        **{"diagnosis": 4, "procedure": 1},
    }
    assert figures["codes_unseen_in_train"] == {"dev": 1, "test": 2}
    assert figures["labels_unseen_in_train"] == {"dev": 1, "test": 3}


def test_tiers_by_train_frequency_by_hand(figures):
    """In train a comes 4 times, b twice, c once; x and y never."""
    of_tier = {name: tuple(one.values()) for name, one in figures["tiers"].items()}
    assert list(figures["tiers"]["head"]) == [
        *("codes", "codes_in_test", "labels_in_train", "labels_in_test")
    ]
    assert of_tier == {
        "head": (1, 1, 4, 1),
        "medium": (0, 0, 0, 0),
        "tail": (1, 1, 2, 1),
        "few_shot": (1, 0, 1, 0),
        "zero_shot": (2, 2, 0, 3),
    }
    in_train = figures["codes_by_frequency"]["train"]
    assert {band: codes for band, codes in in_train.items() if codes} == {"2-4": 2, "1": 1, "0": 2}
    assert sum(in_train.values()) == 5


def test_words_are_what_stands_between_white_space(figures):
    assert figures["words_per_note"]["all"]["mean"] == 3
    assert figures["words_per_note"]["dev"]["max"] == 3


def test_quantiles_by_hand():
    assert spread(pl.Series([0, 1, 2, 3, 4]))["q25"] == 1
    assert spread(pl.Series([1, 2]))["median"] == 1.5
    assert spread(pl.Series([], dtype=pl.Int64))["mean"] is None


def test_texts_are_read_and_written_in_groups_of_rows(tmp_path):
    """No rule holds the text of a whole corpus: the notes lie in groups that are read in turn."""
    count = 2 * ROWS_PER_GROUP + 1
    notes = pl.DataFrame(
        {
            "note_id": [f"{number:05d}" for number in range(count)],
            "patient_id": "p",
            "time": None,
            "sex": None,
            "age": None,
            "text": "a b",
        },
        schema=TABLES["corpus/notes"].columns,
    )
    sink_table(notes.lazy(), tmp_path / "notes.parquet", "corpus/notes")
    assert pl.read_parquet(tmp_path / "notes.parquet").equals(notes)
    metadata = parquet.read_metadata(tmp_path / "notes.parquet")
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert len(groups) >= 3 and max(groups) <= ROWS_PER_GROUP


def test_a_figure_agrees_within_its_tolerance_and_not_beyond():
    lines = [
        {"figure": "codes.all", "value": value, "tolerance": 4, "verified": True, "source": "s"}
        for value in (104, 105)
    ]
    compared = compare({"codes": {"all": 100}}, lines)
    assert [one["agrees"] for one in compared] == [True, False]
    assert compared[0]["here"] == 100 and compared[0]["published"] == 104
    assert not compare({"codes": {"all": None}}, lines)[0]["agrees"]


def _published():
    return yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))


@pytest.mark.parametrize("corpus", sorted(_published()["corpora"]))
def test_every_published_figure_is_one_that_the_manifest_has(figures, corpus):
    for line in read_published(PUBLISHED, corpus):
        assert isinstance(find_figure(figures, line["figure"]), int | float), line["figure"]
        assert line["source"] and line["tolerance"] >= 0


def test_the_published_corpora_are_those_that_the_configuration_offers():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    offered = schema["properties"]["corpus"]["properties"]["published"]["enum"]
    assert sorted(name for name in offered if name) == sorted(_published()["corpora"])


def test_a_corpus_without_published_figures_names_those_that_have():
    with pytest.raises(UserError, match=r"corpus.published: mimic5: .*it has mimic3_full, "):
        read_published(PUBLISHED, "mimic5")


def test_known_sums_hold_within_the_published_figures():
    """The figures come from several sources; where they must add up, they do."""
    one = {line["figure"]: line["value"] for line in read_published(PUBLISHED, "mimic3_full")}
    assert sum(one[f"documents.{split}"] for split in SPLITS) == one["documents.all"]
    assert one["codes.diagnosis"] + one["codes.procedure"] == one["codes.all"]
    bands = [value for figure, value in one.items() if "frequency.train" in figure]
    assert sum(bands) == one["codes.all"]
    assert one["codes.all"] - one["codes_by_frequency.train.0"] == one["codes.train"]
    edin = {
        line["figure"]: line["value"] for line in read_published(PUBLISHED, "mimic4_icd10_edin")
    }
    assert sum(edin[f"documents.{split}"] for split in SPLITS) == edin["documents.all"]


def _run(tables, folder, published, name):
    prepared = {
        "settings": {"adapter": "mimic3"},
        "files": {"NOTEEVENTS": {"name": "NOTEEVENTS.csv.gz", "bytes": 1, "sha256": "0"}},
        "rows": {"note_rows": 20, "note_kept": 11, "note_addenda": 2},
        "documents": 11,
        "patients": 9,
        "labels": 20,
        "codes": {"diagnosis": 4, "procedure": 1},
    }
    (folder / "prepared.json").write_text(json.dumps(prepared))
    snakemake = SimpleNamespace(
        input=SimpleNamespace(
            prepared=folder / "prepared.json",
            notes=list(tables["notes"].values()),
            labels=list(tables["labels"].values()),
            published=published,
        ),
        output=SimpleNamespace(manifest=folder / "manifest.json"),
        params=SimpleNamespace(tiers=TIERS, published=name),
    )
    runpy.run_path(str(ROOT / "workflow/scripts/describe_corpus.py"))["main"](snakemake)
    return (folder / "manifest.json").read_text()


def test_the_rule_writes_one_manifest_and_prints_the_comparison(tables, tmp_path, capsys):
    published = tmp_path / "published.yaml"
    line = {"figure": "documents.all", "value": 9, "source": "paper", "verified": False}
    right = {"figure": "codes.all", "value": 5, "source": "paper"}
    published.write_text(
        yaml.safe_dump({"sources": {"paper": "a paper"}, "corpora": {"mine": [line, right]}})
    )
    written = _run(tables, tmp_path, published, "mine")
    manifest = json.loads(written)
    assert manifest["rows"]["note_kept"] == 11
    assert manifest["addenda"] == 2
    assert manifest["documents_in_no_split"] == 3
    assert manifest["files"]["NOTEEVENTS"]["bytes"] == 1
    assert manifest["published"]["corpus"] == "mine"
    assert manifest["published"]["figures"][0] == {
        "figure": "documents.all",
        "here": 8,
        "published": 9,
        "tolerance": 0,
        "agrees": False,
        "verified": False,
        "source": "a paper",
    }
    printed = capsys.readouterr().out
    assert "1 of 2 figures agree with mine" in printed
    assert "documents.all     8          9  0  DIFFERS (published figure unverified)" in printed
    assert "Secret" not in written + printed
    assert "p1" not in written and "train0" not in written


def test_a_corpus_that_is_compared_with_nothing(tables, tmp_path):
    assert json.loads(_run(tables, tmp_path, PUBLISHED, None))["published"] is None


def test_the_printed_table_shows_each_split(figures):
    lines = as_table(figures).splitlines()
    assert lines[1].split() == ["train", "5", "3", "3", "1", "3"]
    assert lines[-1].split()[:4] == ["all", "8", "6", "5"]


def test_files_are_hashed_a_block_at_a_time(tmp_path, monkeypatch):
    """NOTEEVENTS.csv.gz is over a gigabyte: it is never read at once."""
    path = tmp_path / "big"
    path.write_bytes(b"abc")
    monkeypatch.setattr(Path, "read_bytes", None)
    assert describe_file(path)["sha256"].startswith("ba7816bf")
