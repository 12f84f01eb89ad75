"""Codes keep their leading zeros, repeats count once, and no patient is in two splits."""

import gzip
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.corpus.mimic3 import read_labels
from longtail_icd.corpus.split import check_split, split_by_patient

HEADER = "row_id,subject_id,hadm_id,seq_num,icd9_code\n"


def _write(folder, rows, header=HEADER):
    content = (header + "".join(f"{row}\n" for row in rows)).encode()
    (folder / "PROCEDURES_ICD.csv.gz").write_bytes(gzip.compress(content))


def test_leading_zeros_nulls_and_repeats(tmp_path):
    _write(tmp_path, ["1,1,100,1,0117", "2,1,100,2,117", "3,1,100,3,0117", "4,1,100,4,"])
    labels, counts = read_labels(tmp_path, ["procedure"])
    assert labels["code"].to_list() == ["01.17", "11.7"]
    assert counts == {
        "procedure_rows": 4,
        "procedure_without_code": 1,
        "procedure_repeated": 1,
    }


def test_bad_tables_are_one_clear_error(tmp_path):
    with pytest.raises(UserError, match=r"no PROCEDURES_ICD.csv.gz"):
        read_labels(tmp_path, ["procedure"])
    _write(tmp_path, ["1,100,1"], "row_id,hadm_id,seq_num\n")
    with pytest.raises(UserError, match=r"column ICD9_CODE is missing"):
        read_labels(tmp_path, ["procedure"])
    _write(tmp_path, [f"{i},1,{i},1,{i % 97:04d}" for i in range(5000)])
    path = tmp_path / "PROCEDURES_ICD.csv.gz"
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UserError, match=r"cannot be read to its end"):
        read_labels(tmp_path, ["procedure"])


@pytest.mark.skipif(
    "LONGTAIL_ICD_TEST_DATA" not in os.environ, reason="LONGTAIL_ICD_TEST_DATA is not set"
)
def test_the_open_mimic3_demo():
    folder = Path(os.environ["LONGTAIL_ICD_TEST_DATA"]) / "mimic3demo"
    labels, counts = read_labels(folder, ["diagnosis", "procedure"])
    assert (counts["diagnosis_rows"], counts["procedure_rows"]) == (1761, 506)
    assert counts["procedure_repeated"] == 20
    assert labels["note_id"].n_unique() <= 129
    assert labels.filter(pl.col("kind") == "procedure")["code"].str.contains(r"^\d\d\.").all()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.integers(0, 5))
def test_split_is_a_partition_by_patient_whatever_the_row_order(patients, seed):
    notes = pl.DataFrame(
        {"note_id": [str(i) for i in range(len(patients))], "patient_id": list(map(str, patients))}
    )
    assigned = split_by_patient(notes, 0.2, 0.3, seed)
    assert assigned["note_id"].to_list() == notes["note_id"].to_list()
    joined = notes.join(assigned, on="note_id")
    assert joined.group_by("patient_id").agg(pl.col("split").n_unique())["split"].max() == 1
    assert (
        split_by_patient(notes.reverse(), 0.2, 0.3, seed)
        .sort("note_id")
        .equals(assigned.sort("note_id"))
    )


def test_empty_and_overlapping_splits_are_refused():
    notes = pl.DataFrame({"note_id": ["a", "b", "c"], "patient_id": ["1", "1", "2"]})
    with pytest.raises(UserError, match="dev split is empty"):
        check_split(notes, pl.DataFrame({"note_id": ["a", "b"], "split": ["train", "test"]}))
    three = pl.DataFrame({"note_id": ["a", "b", "c"], "split": ["train", "test", "dev"]})
    with pytest.raises(UserError, match="1 patients are in more than one split"):
        check_split(notes, three)
