"""CodiEsp's official layout becomes documents with ICD-10 codes."""

import os
from pathlib import Path

import polars as pl
import pytest
from corpus_files import prepared
from longtail_icd.common.code_systems import icd10cm_tree
from longtail_icd.corpus.codiesp import strip_fillers

needs_data = pytest.mark.skipif(
    "LONGTAIL_ICD_TEST_DATA" not in os.environ, reason="LONGTAIL_ICD_TEST_DATA is not set"
)


def write_codiesp(folder: Path) -> Path:
    """Write one document per split, two in train; the second has no code."""
    rows = {
        "train": ("a\tn44.8\na\tw19.xxx\na\tw19\n", "a\tbw03zzz\na\tbw20\n"),
        "dev": ("b\tr52\n", "b\tbw20\n"),
        "test": ("c\ti10\n", ""),
    }
    for split, (diagnoses, procedures) in rows.items():
        for name in ("text_files", "text_files_en"):
            (folder / split / name).mkdir(parents=True)
        (folder / split / f"{split}D.tsv").write_text(diagnoses)
        (folder / split / f"{split}P.tsv").write_text(procedures)
    for split, document in [("train", "a"), ("train", "z"), ("dev", "b"), ("test", "c")]:
        (folder / split / "text_files" / f"{document}.txt").write_text(f"{document}: niña", "utf-8")
        (folder / split / "text_files_en" / f"{document}.txt").write_text(f"{document}: girl\n")
    return folder


def test_codes_are_upper_case_once_each_and_versioned(tmp_path):
    _, labels, done = prepared(write_codiesp(tmp_path), tmp_path, "codiesp")
    first = labels.filter(note_id="a").drop("note_id")
    assert first.select("code", "version", "kind", "position").rows() == [
        ("N44.8", "icd10cm", "diagnosis", 1),
        ("W19", "icd10cm", "diagnosis", 2),
        ("BW03ZZZ", "icd10pcs", "procedure", 1),
        ("BW20", "icd10pcs", "procedure", 2),
    ]
    assert done.counts["diagnosis_fillers_stripped"] == 1
    assert done.counts["diagnosis_repeated"] == 1


def test_documents_are_patients_with_the_official_split_and_stay_without_codes(tmp_path):
    notes, _, done = prepared(write_codiesp(tmp_path), tmp_path, "codiesp")
    assert notes.select("note_id", "patient_id", "official_split", "text").rows() == [
        ("a", "a", "train", "a: girl\n"),
        ("b", "b", "dev", "b: girl\n"),
        ("c", "c", "test", "c: girl\n"),
        ("z", "z", "train", "z: girl\n"),
    ]
    assert done.counts["documents_without_codes"] == 1


def test_language_kinds_and_notes_are_choices(tmp_path):
    folder = write_codiesp(tmp_path)
    spanish, labels, done = prepared(folder, tmp_path, "codiesp", ["procedure"], language="es")
    assert spanish["text"][0] == "a: niña"
    assert set(labels["version"]) == {"icd10pcs"}
    assert done.counts["documents_without_codes"] == 2
    silent, _, _ = prepared(folder, tmp_path, "codiesp", notes="none")
    assert silent.select("note_id", "text").rows() == [("a", ""), ("b", ""), ("c", "")]


def test_fillers_are_stripped_to_the_longest_valid_prefix_and_only_then():
    valid = set(icd10cm_tree()["code"])
    for before, after in {
        "T81.4XX": "T81.4",
        "W19.XXX": "W19",
        "S09.90X": "S09.90",
        "S06.9X": "S06.9X",  # a node of its own
        "S06.0X0": "S06.0X0",
        "I10": "I10",
        "Z99.QX": "Z99.QX",  # no valid prefix: left to the terminology's fallback
    }.items():
        assert strip_fillers(before, valid) == after


@needs_data
def test_the_real_corpus(tmp_path):
    folder = Path(os.environ["LONGTAIL_ICD_TEST_DATA"]) / "codiesp"
    notes, labels, done = prepared(folder, tmp_path, "codiesp")
    sizes = dict(notes.group_by("official_split").len().rows())
    assert sizes == {"train": 400, "dev": 100, "test": 250}
    assert (done.counts["diagnosis_rows"], done.counts["procedure_rows"]) == (8316, 2367)
    # Every filler is resolved: what is left unknown would have no title.
    codes = labels.filter(kind="diagnosis")["code"].unique()
    known = codes.is_in(icd10cm_tree()["code"].to_list())
    assert known.mean() > 0.99
    assert labels["code"].str.to_uppercase().equals(labels["code"])
    assert labels.select(pl.struct("note_id", "code").is_unique().all()).item()
