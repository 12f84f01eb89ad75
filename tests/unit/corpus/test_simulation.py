"""The simulated hospital as a whole: MIMIC-III's format, its traps, real co-occurrence."""

import csv
import gzip
import itertools
import os
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from longtail_icd.common.codes import dotted
from longtail_icd.corpus.simulator.hospital import draw_hospital
from longtail_icd.corpus.simulator.layouts import hospital_files
from longtail_icd.corpus.simulator.mimic_tables import COLUMNS
from longtail_icd.corpus.simulator.simulation import simulate

RESOURCES = Path(__file__).parents[3] / "resources"
RANGES, PROSE = RESOURCES / "icd9_ranges.csv", RESOURCES / "hospital_prose.yaml"
SMALL = {
    "layout": "mimic3",
    "seed": 1,
    "documents": 400,
    "codes": 200,
    "labels_per_note": 6,
    "words_per_note": 110,
    "phenotypes": 8,
    "overlap": 0.6,
    "silent": 0.05,
    "silent_patients": 0.0,
    "addenda": 0.08,
    "other_notes": 1.0,
    "chart": None,
    "icd10": None,
    "block": 2000,
}


def read_tables(folder):
    """Read every table with all columns as strings: what a careful reader of the release sees."""
    paths = {name: folder / file for name, file in hospital_files("mimic3").items()}
    return {name: pl.read_csv(path, infer_schema=False) for name, path in paths.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital")
    simulate(SMALL, RANGES, PROSE, folder)
    return folder


@pytest.fixture(scope="module")
def tables(folder):
    return read_tables(folder)


@pytest.fixture(scope="module")
def hospital():
    return draw_hospital(np.random.default_rng(1), SMALL | {"documents": 1400}, RANGES)


def _summaries(tables):
    return tables["NOTEEVENTS"].filter(CATEGORY="Discharge summary")


def test_files_read_like_the_release(folder, tables):
    """Protects the format: upper-case headers, quoted text over lines, codes as strings."""
    for name, columns in COLUMNS.items():
        with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
        assert rows[0] == columns.split()
        assert all(len(row) == len(rows[0]) for row in rows)
        assert len(rows) - 1 == tables[name].height
    raw = gzip.decompress((folder / "D_ICD_PROCEDURES.csv.gz").read_bytes()).decode()
    assert ',"0117","Brain temp monitoring","Brain temperature monitoring"' in raw


@pytest.mark.skipif(
    "LONGTAIL_ICD_TEST_DATA" not in os.environ, reason="LONGTAIL_ICD_TEST_DATA is not set"
)
def test_columns_are_those_of_the_real_files():
    folder = Path(os.environ["LONGTAIL_ICD_TEST_DATA"]) / "mimic3demo"
    for path in folder.glob("*.csv.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            header = stream.readline().strip().upper().replace('"', "")
        assert header.split(",") == COLUMNS[path.name.removesuffix(".csv.gz")].split()


def test_the_traps_are_there(tables):
    events = tables["NOTEEVENTS"]
    assert {"Nursing", "Radiology", "ECG"} <= set(events["CATEGORY"])
    summaries = _summaries(tables)
    assert set(summaries["DESCRIPTION"]) == {"Report", "Addendum"}
    assert summaries["HADM_ID"].null_count() == 0
    assert events.filter(pl.col("CATEGORY") != "Discharge summary")["HADM_ID"].null_count() > 0
    assert not events["ROW_ID"].cast(pl.Int64).is_sorted()
    assert events["ROW_ID"].is_unique().all()
    for name in ("DIAGNOSES_ICD", "PROCEDURES_ICD"):
        codes = tables[name]
        assert codes["ICD9_CODE"].null_count() > 0
        assert not codes["ICD9_CODE"].str.contains(".", literal=True).any()
    assert tables["PROCEDURES_ICD"].select("HADM_ID", "ICD9_CODE").is_duplicated().any()
    assert tables["ADMISSIONS"].height > summaries["HADM_ID"].n_unique() == 400
    assert tables["PATIENTS"].height < 400


def test_keys_fit_together(tables):
    admissions = tables["ADMISSIONS"]
    assert admissions["HADM_ID"].is_unique().all()
    assert set(admissions["SUBJECT_ID"]) <= set(tables["PATIENTS"]["SUBJECT_ID"])
    assert (admissions["DISCHTIME"] > admissions["ADMITTIME"]).all()
    stays = admissions.sort("SUBJECT_ID", "ADMITTIME")
    follows = stays.filter(pl.col("SUBJECT_ID") == pl.col("SUBJECT_ID").shift())
    assert follows.height > 0
    for name in ("NOTEEVENTS", "DIAGNOSES_ICD", "PROCEDURES_ICD"):
        pairs = tables[name].drop_nulls("HADM_ID").select("SUBJECT_ID", "HADM_ID").unique()
        assert pairs.join(admissions, on=["SUBJECT_ID", "HADM_ID"], how="anti").is_empty()


def test_leading_zeros_survive(tables):
    procedures = tables["PROCEDURES_ICD"].drop_nulls("ICD9_CODE")
    known = set(tables["D_ICD_PROCEDURES"]["ICD9_CODE"])
    assert set(procedures["ICD9_CODE"]) <= known
    assert procedures["ICD9_CODE"].str.len_chars().is_between(3, 4).all()


def test_no_summary_holds_a_code_of_its_own(tables):
    for name, kind in (("DIAGNOSES_ICD", "diagnosis"), ("PROCEDURES_ICD", "procedure")):
        codes = (
            tables[name]
            .drop_nulls("ICD9_CODE")
            .with_columns(code=dotted(pl.col("ICD9_CODE"), "icd9cm", kind))
            .join(_summaries(tables).select("HADM_ID", "TEXT"), on="HADM_ID")
        )
        with_dot = codes.filter(pl.col("code").str.contains(".", literal=True))
        held = pl.col("TEXT").str.contains(pl.col("code"), literal=True)
        assert with_dot.filter(held).is_empty()


def test_words_and_sections(tables):
    reports = _summaries(tables).filter(DESCRIPTION="Report")["TEXT"]
    words = np.array([len(text.split()) for text in reports])
    assert 0.8 < np.median(words) / 110 < 1.25
    for heading in ("Admission Date:", "Chief Complaint:", "Brief Hospital Course:"):
        assert reports.str.contains(heading, literal=True).all()
    assert reports.str.contains(r"\[\*\*2\d{3}-\d+-\d+\*\*\]").all()
    assert not reports.str.contains(r"\{\w+\}").any()  # no placeholder left over


def test_some_summaries_deny_what_others_have(tables):
    text = "\n".join(_summaries(tables)["TEXT"])
    assert len(re.findall(r"No evidence of|was ruled out|Family history of", text)) > 20


def test_labels_per_note_follow_their_law(hospital):
    sizes = np.array([len(own) for own in hospital.labels])
    assert sizes.min() >= 1
    assert abs(np.median(sizes) - 6) <= 1
    assert abs(np.log(sizes).std() - 0.55) < 0.15
    assert all(len(set(own)) == len(own) for own in hospital.labels)


def test_cooccurrence_is_real(hospital):
    """Codes of one phenotype are found together more than those of two; shuffled, they are not."""

    def mean_npmi(labels):
        has = np.zeros((len(labels), hospital.pool.height))
        for row, own in enumerate(labels):
            has[row, own] = 1
        counts = has.sum(0)
        both = has.T @ has / len(labels)
        share = counts / len(labels)
        often = np.flatnonzero((counts >= 20) & (counts < 0.15 * len(labels)))
        pairs = [pair for pair in itertools.combinations(often, 2) if both[pair] > 0]
        value = {
            (a, b): np.log(both[a, b] / share[a] / share[b]) / -np.log(both[a, b]) for a, b in pairs
        }
        same = hospital.phenotype
        within = [npmi for (a, b), npmi in value.items() if same[a] == same[b]]
        across = [npmi for (a, b), npmi in value.items() if same[a] != same[b]]
        return np.mean(within), np.mean(across)

    within, across = mean_npmi(hospital.labels)
    flat = np.random.default_rng(0).permutation(np.concatenate(hospital.labels))
    sizes = np.cumsum([len(own) for own in hospital.labels])[:-1]
    shuffled, _ = mean_npmi([np.unique(own) for own in np.split(flat, sizes)])
    assert within > 0.15
    assert within > across + 0.15
    assert within > shuffled + 0.15
