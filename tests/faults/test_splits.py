"""Bad splits end in one error that names what is wrong and what to do about it."""

from pathlib import Path

import polars as pl
import pytest
import yaml
from longtail_icd.common.config import check_config
from longtail_icd.common.errors import UserError
from longtail_icd.corpus.raw_files import find_ids
from longtail_icd.corpus.split import assign_splits
from longtail_icd.corpus.split_files import find_split_files, official_files
from longtail_icd.corpus.split_ids import read_ids

ROOT = Path(__file__).parents[2]
NOTES = pl.DataFrame(
    {"note_id": ["1", "2", "3"], "patient_id": ["a", "b", "b"], "official_split": [None] * 3},
    schema_overrides={"official_split": pl.String},
)


def _ids(folder, train, dev, test):
    for split, ids in {"train": train, "dev": dev, "test": test}.items():
        (folder / f"{split}_full_hadm_ids.csv").write_text("".join(f"{one}\n" for one in ids))
    return find_ids(folder)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ((["1"], ["2"], ["3"]), r"1 patients are in more than one split"),
        ((["1"], ["2", "3"], []), r"the test split is empty"),
        ((["1"], ["1", "2"], ["3"]), r"2 lines of the id files repeat an id"),
        ((["1", "1"], ["2"], ["3"]), r"2 lines of the id files repeat an id"),
        ((["1"], ["2", "3"], ["4"]), r"1 of 4 listed ids \(25.0%, over 1%\) have no document"),
        ((["1,train"], ["2,dev"], ["3,test"]), r"train_full_hadm_ids.csv: 1 lines hold more than"),
    ],
)
def test_id_files_that_make_no_split(tmp_path, ids, message):
    with pytest.raises(UserError, match=message):
        assign_splits(NOTES, "official", 0, 0, 1, _ids(tmp_path, *ids))


@pytest.mark.parametrize(("strangers", "accepted"), [(2, True), (3, False)])
def test_over_1_percent_of_ids_without_a_document_is_an_error(tmp_path, strangers, accepted):
    """The share is of the listed ids: 2 of 200 pass, 3 of 201 do not."""
    known = [str(number) for number in range(198)]
    notes = pl.DataFrame(
        {"note_id": known, "patient_id": known, "official_split": [None] * 198},
        schema_overrides={"official_split": pl.String},
    )
    unknown = [f"9{number:05d}" for number in range(strangers)]
    files = _ids(tmp_path, [*known[2:], *unknown], ["0"], ["1"])
    if accepted:
        assert assign_splits(notes, "official", 0, 0, 1, files).height == 198
        return
    with pytest.raises(UserError, match=r"corpus.split.ids: 3 of 201 listed ids \(1.5%"):
        assign_splits(notes, "official", 0, 0, 1, files)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"id": [1], "split": ["train"]}, r"columns _id or hadm_id or note_id, and split, wanted"),
        ({"_id": [1], "fold": ["train"]}, r"and split, wanted; found _id, fold"),
        ({"_id": [1, 2], "split": ["train", "holdout"]}, r"1 rows have a split other than train"),
        ({"_id": [1, 2], "split": ["train", None]}, r"1 rows have a split other than train"),
        ({"_id": [1, None], "split": ["train", "dev"]}, r"1 rows have no id"),
        ({"_id": [1, 1], "split": ["train", "dev"]}, r"2 lines of the id files repeat an id"),
    ],
)
def test_a_table_of_ids_that_is_none(tmp_path, table, message):
    pl.DataFrame(table).write_parquet(tmp_path / "splits.parquet")
    with pytest.raises(UserError, match=message):
        read_ids(find_split_files(tmp_path / "splits.parquet"))


@pytest.mark.parametrize("ending", ["parquet", "feather", "xlsx"])
def test_a_table_of_ids_that_cannot_be_read(tmp_path, ending):
    path = tmp_path / f"splits.{ending}"
    path.write_bytes(b"PK\x03\x04 no such format")
    with pytest.raises(UserError, match=r"not a readable|a table of ids is one of .parquet"):
        read_ids({"table": path})


def test_a_list_of_ids_in_another_encoding(tmp_path):
    (tmp_path / "train_full_hadm_ids.csv").write_bytes(b"\xff\xfe1\x00")
    with pytest.raises(UserError, match=r"train_full_hadm_ids.csv: not a list of ids in UTF-8"):
        read_ids({"train": tmp_path / "train_full_hadm_ids.csv"})


def test_two_sets_of_id_files_in_one_folder(tmp_path):
    _ids(tmp_path, ["1"], ["2"], ["3"])
    (tmp_path / "train_50_hadm_ids.csv").write_text("1\n")
    with pytest.raises(UserError, match=r"train_50_hadm_ids.csv, train_full.*folder of its own"):
        find_split_files(tmp_path)


def test_no_id_files(tmp_path):
    with pytest.raises(UserError, match=r"one file train_\*hadm_ids.csv wanted, found none"):
        find_split_files(tmp_path)
    with pytest.raises(UserError, match=r"corpus.split.ids: .*no such file or folder"):
        find_split_files(tmp_path / "missing")


def test_a_published_split_that_was_not_fetched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    download = {"split": "mullenbach_mimic3_full", "sha256": {}}
    with pytest.raises(UserError, match=r"is not here yet; get it with `snakemake fetch_split`"):
        official_files({"method": "official", "ids": None, "download": download})


def test_a_source_without_a_split_of_its_own():
    with pytest.raises(UserError, match=r"corpus.split.ids, or set method: patient, stratified"):
        assign_splits(NOTES, "official", 0, 0, 1, {})


def test_a_source_whose_split_has_another_name():
    notes = NOTES.with_columns(official_split=pl.Series(["train", "val", "val"]))
    with pytest.raises(UserError, match=r"2 documents have an official split other than train"):
        assign_splits(notes, "official", 0, 0, 1, {})


def test_too_few_patients_for_three_splits():
    with pytest.raises(UserError, match=r"the dev split is empty"):
        assign_splits(NOTES, "patient", 0.1, 0.3, 1, {})


@pytest.mark.parametrize("method", ["patient", "stratified", "temporal", "official"])
def test_documents_without_a_patient(method):
    """They would fall out of the join by patient, and nobody would notice."""
    notes = NOTES.with_columns(patient_id=pl.Series(["a", None, "b"]))
    with pytest.raises(UserError, match=r"1 documents have no patient"):
        assign_splits(notes, method, 0.1, 0.3, 1, {})


def test_a_temporal_split_of_documents_without_time():
    times = pl.Series([None, None, 1], dtype=pl.Int64).cast(pl.Datetime("us"))
    with pytest.raises(UserError, match=r"temporal: 2 of 3 documents have no time.*set method"):
        assign_splits(NOTES.with_columns(time=times), "temporal", 0.1, 0.3, 1, {})


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"method": "stratfied"}, r"corpus.split.method: 'stratfied' is not one of"),
        ({"method": "patient", "dev": 0.5, "test": 0.5}, r"dev \+ test must be less than 1"),
        ({"method": "official"}, r"corpus.split.ids: split.method: official needs the folder"),
        ({"ids": "nowhere.csv"}, r"corpus.split.ids: nowhere.csv: no such file or folder"),
        ({"download": {"split": "caml", "sha256": {}}}, r"download.split: 'caml' is not one of"),
        ({"download": {"split": None, "sha256": {"a.csv": "12"}}}, r"sha256.a.csv: '12' does not"),
    ],
)
def test_a_configuration_that_makes_no_split(split, message):
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    config["corpus"]["split"] |= split
    with pytest.raises(UserError, match=message):
        check_config(config, ROOT / "workflow" / "schemas" / "config.schema.yaml")


def test_a_split_that_is_to_be_downloaded_needs_no_ids():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    download = {"split": "edin_mimic3_clean", "sha256": {"mimiciii_clean_splits.feather": "0" * 64}}
    config["corpus"]["split"] |= {"method": "official", "download": download}
    check_config(config, ROOT / "workflow" / "schemas" / "config.schema.yaml")
