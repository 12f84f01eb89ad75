"""What a hospital of real size has beyond the demo: blocks, processes, long notes of all sorts."""

import csv
import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.common.config import check_config
from longtail_icd.common.errors import UserError
from longtail_icd.corpus.prepare import prepare
from longtail_icd.corpus.simulator.blocks import PARTS, stream_of, write_block, write_notes
from longtail_icd.corpus.simulator.chance import Chances
from longtail_icd.corpus.simulator.chart import Chart, make_sentences
from longtail_icd.corpus.simulator.hospital import later_notes
from longtail_icd.corpus.simulator.icd10_pool import draw_icd10_pool
from longtail_icd.corpus.simulator.layouts import hospital_files
from longtail_icd.corpus.simulator.mimic4 import COLUMNS
from longtail_icd.corpus.simulator.phenotypes import draw_patients
from longtail_icd.corpus.simulator.prose import read_prose
from longtail_icd.corpus.simulator.simulation import simulate
from longtail_icd.corpus.simulator.stays import draw_stays
from longtail_icd.corpus.simulator.summaries import Block
from pyarrow import csv as arrow_csv

ROOT = Path(__file__).parents[3]
RESOURCES = ROOT / "resources"
RANGES, PROSE = RESOURCES / "icd9_ranges.csv", RESOURCES / "hospital_prose.yaml"
WARD = {
    "layout": "mimic3",
    "seed": 3,
    "documents": 130,
    "codes": 400,
    "labels_per_note": 9,
    "words_per_note": 500,
    "phenotypes": 4,
    "overlap": 0.6,
    "silent": 0.2,
    "silent_patients": 0.5,
    "addenda": 0.3,
    "other_notes": 6.0,
    "chart": {"sentences": 400, "words": 60},
    "icd10": None,
    "block": 40,
}
MIMIC4 = WARD | {
    "layout": "mimic4",
    "icd10": {"share": 0.4, "codes": 900, "labels_per_note": 8},
}


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ward")
    simulate(WARD, RANGES, PROSE, folder)
    return folder


@pytest.fixture(scope="module")
def events(ward):
    return pl.read_csv(ward / "NOTEEVENTS.csv.gz", infer_schema=False)


@pytest.fixture(scope="module")
def mimic4(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mimic4")
    simulate(MIMIC4, RANGES, PROSE, folder)
    return folder


def test_two_processes_write_the_same_bytes_as_one(ward, tmp_path):
    simulate(WARD, RANGES, PROSE, tmp_path, processes=2)
    assert digests(tmp_path) == digests(ward)
    assert len(digests(ward)) == len(hospital_files("mimic3")) == 7


def test_another_seed_writes_other_notes(ward, tmp_path):
    simulate(WARD | {"seed": 4}, RANGES, PROSE, tmp_path)
    assert digests(tmp_path)["NOTEEVENTS.csv.gz"] != digests(ward)["NOTEEVENTS.csv.gz"]


class Dice:
    """An author whose notes are random numbers and whatever text it is given."""

    quotes = "necessary"

    def __init__(self, texts=("a",)):
        self._texts = texts

    def frame(self, rng, block):
        texts = [self._texts[one] for one in rng.integers(len(self._texts), size=5)]
        return pl.DataFrame({"number": rng.integers(1 << 40, size=5), "TEXT": texts})


def blocks(number):
    return [Block(one, [], [], np.zeros(0)) for one in range(number)]


@given(st.permutations(range(5)), st.integers(0, 1000))
def test_a_blocks_notes_depend_on_its_number_alone(order, seed):
    """Whatever was written before, in this process or another."""
    seed = np.random.SeedSequence(seed).spawn(5)[3]
    expected = [write_block(Dice(), seed, 2, block) for block in blocks(5)]
    again = {one: write_block(Dice(), seed, 2, blocks(5)[one]) for one in order}
    assert [again[one] for one in range(5)] == expected
    assert len({portions[1] for _, portions in expected}) == 5


def test_the_first_block_has_the_seeds_own_numbers():
    """The demo is one block: its notes are those of the time before there were blocks."""
    seed = np.random.SeedSequence(7).spawn(4)[3]
    assert stream_of(seed, 0).random() == np.random.default_rng(seed).random()
    assert stream_of(seed, 1).random() == np.random.default_rng(seed.spawn(1)[0]).random()


NASTY = st.text(alphabet=st.sampled_from('ab",\n\r;é '), max_size=12)


@settings(max_examples=25, deadline=None)
@given(st.lists(NASTY, min_size=1, max_size=6), st.integers(2, 12))
def test_quotes_line_breaks_and_commas_survive_the_file(tmp_path_factory, texts, number):
    """As many gzip members as there are portions, and every reader sees one whole table."""
    path = tmp_path_factory.mktemp("file") / "notes.csv.gz"
    seed = np.random.SeedSequence(1)
    rows = write_notes(Dice(texts), seed, blocks(number), number, path, 1)
    wanted = sorted(
        text
        for block in blocks(number)
        for text in Dice(texts).frame(stream_of(seed, block.number), block)["TEXT"]
    )
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        read = list(csv.DictReader(stream))
    assert len(read) == rows == 5 * number
    assert sorted(row["TEXT"] for row in read) == wanted


def _members(path):
    data, members = path.read_bytes(), 0
    while data:
        reader = zlib.decompressobj(wbits=31)
        reader.decompress(data)
        data, members = reader.unused_data, members + 1
    return members


def test_every_reader_sees_all_members(ward, events):
    path = ward / "NOTEEVENTS.csv.gz"
    assert _members(path) == PARTS * 4  # 130 documents in blocks of 40
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        plain = list(csv.DictReader(stream))
    assert [row["TEXT"] for row in plain] == events["TEXT"].to_list()
    assert pd.read_csv(path, dtype=str)["TEXT"].to_list() == events["TEXT"].to_list()
    options = arrow_csv.ParseOptions(newlines_in_values=True)
    batches = arrow_csv.open_csv(path, parse_options=options)
    texts = [text for batch in batches for text in batch.column("TEXT").to_pylist()]
    assert texts == events["TEXT"].to_list()


def test_notes_of_other_categories_are_there_in_their_numbers(events):
    others = events.filter(pl.col("CATEGORY") != "Discharge summary")
    assert abs(others.height / 130 - 6) < 1
    assert {"Nursing/other", "Radiology", "ECG", "Physician "} <= set(others["CATEGORY"])
    assert 0.05 < others["HADM_ID"].null_count() / others.height < 0.3
    words = others["TEXT"].str.count_matches(r"\S+")
    assert 40 < words.median() < 90
    assert others["CHARTTIME"].null_count() == 0
    assert others["TEXT"].str.contains('"', literal=True).any()
    assert others["TEXT"].str.contains("\n", literal=True).any()
    assert others["TEXT"].str.contains(",", literal=True).any()


def test_row_ids_are_unique_and_an_addendum_may_stand_before_its_report(events):
    assert events["ROW_ID"].is_unique().all()
    summaries = events.with_row_index("line").filter(CATEGORY="Discharge summary")
    lines = summaries.group_by("HADM_ID").agg(
        report=pl.col("line").filter(pl.col("DESCRIPTION") == "Report").first(),
        addendum=pl.col("line").filter(pl.col("DESCRIPTION") == "Addendum").first(),
    )
    distance = lines.drop_nulls().select(
        pl.col("addendum").cast(pl.Int64) - pl.col("report").cast(pl.Int64)
    )["addendum"]
    assert distance.min() < 0 < distance.max()
    assert distance.abs().max() > events.height / 3


def test_long_summaries_have_the_length_asked_for_and_no_code(events):
    reports = events.filter(CATEGORY="Discharge summary", DESCRIPTION="Report")["TEXT"]
    words = reports.str.count_matches(r"\S+")
    assert abs(words.median() / 500 - 1) < 0.2
    assert reports.str.contains("Pertinent Results:", literal=True).mean() > 0.8
    assert not events["TEXT"].str.contains(r"\{\w+\}").any()
    assert not events["TEXT"].str.contains(r"\b[VE]?\d+\.\d").any()


def test_the_reader_finds_every_document(ward, tmp_path):
    written = tmp_path / "notes.parquet", tmp_path / "labels.parquet"
    prepared = prepare(ward, *written, adapter="mimic3", kinds=["diagnosis", "procedure"])
    assert prepared.notes.height == 130
    assert prepared.notes["note_id"].is_unique().all()
    assert prepared.notes["patient_id"].n_unique() < 130
    admissions = pl.read_csv(ward / "ADMISSIONS.csv.gz", infer_schema=False)
    assert admissions.height == 130 + 26
    patients = pl.read_csv(ward / "PATIENTS.csv.gz", infer_schema=False)
    assert patients.height == prepared.notes["patient_id"].n_unique() + 13


def test_mimic4_tables_have_their_columns_in_their_order(mimic4):
    for name, file in hospital_files("mimic4").items():
        with gzip.open(mimic4 / file, "rt", encoding="utf-8") as stream:
            header = next(csv.reader(stream))
        assert header == COLUMNS[name].split()
    # procedures_icd has chartdate where diagnoses_icd has its code.
    assert COLUMNS["diagnoses_icd"].split()[3] == "icd_code"
    assert COLUMNS["procedures_icd"].split()[3] == "chartdate"


def _mimic4_codes(mimic4):
    columns = ["subject_id", "hadm_id", "seq_num", "icd_code", "icd_version"]
    return {
        name: pl.read_csv(mimic4 / "hosp" / f"{name}.csv.gz", infer_schema=False).select(columns)
        for name in ("diagnoses_icd", "procedures_icd")
    }


def test_a_mimic4_admission_has_codes_of_one_version(mimic4):
    codes = pl.concat(_mimic4_codes(mimic4).values())
    assert set(codes["icd_version"]) == {"9", "10"}
    assert codes.group_by("hadm_id").agg(pl.col("icd_version").n_unique())["icd_version"].max() == 1


def test_a_mimic4_patient_changes_to_icd10_once(mimic4):
    codes = pl.concat(_mimic4_codes(mimic4).values()).select("hadm_id", "icd_version").unique()
    discharge = pl.read_csv(mimic4 / "note" / "discharge.csv.gz", infer_schema=False)
    stays = discharge.join(codes, on="hadm_id").with_columns(
        pl.col("note_seq", "icd_version").cast(pl.Int64)
    )
    versions = stays.sort("subject_id", "note_seq").group_by("subject_id").agg("icd_version")
    assert all(own == sorted(own) for own in versions["icd_version"].to_list())
    assert (stays["icd_version"] == 10).mean() == pytest.approx(0.4, abs=0.01)


def test_some_mimic4_codes_have_blanks_behind_them(mimic4):
    for name, codes in _mimic4_codes(mimic4).items():
        code = codes.drop_nulls("icd_code")["icd_code"]
        assert 0 < code.str.ends_with(" ").mean() < 0.1
        titles = pl.read_csv(mimic4 / "hosp" / f"d_icd_{name[:-4]}.csv.gz", infer_schema=False)
        assert set(code.str.strip_chars()) <= set(titles["icd_code"])


def test_mimic4_notes_mask_with_underscores(mimic4):
    discharge = pl.read_csv(mimic4 / "note" / "discharge.csv.gz", infer_schema=False)
    assert discharge.height == 130
    assert discharge["hadm_id"].is_unique().all()
    assert discharge["note_id"].str.contains(r"^1\d{7}-DS-\d+$").all()
    assert discharge["text"].str.contains("___", literal=True).all()
    assert not discharge["text"].str.contains("[**", literal=True).any()


@given(st.lists(st.floats(0.01, 9), min_size=1, max_size=30), st.integers(0, 2**32))
def test_chances_draw_what_numpy_draws(weights, seed):
    """The demo's tables rest on it."""
    share = np.array(weights) / np.sum(weights)
    ours, numpys = np.random.default_rng(seed), np.random.default_rng(seed)
    chances = Chances(weights)
    assert chances.one(ours) == numpys.choice(len(share), p=share)
    assert (chances.many(ours, 7) == numpys.choice(len(share), size=7, p=share)).all()


@given(st.integers(1, 300), st.floats(0, 1), st.integers(0, 1000))
def test_the_change_of_code_system_is_exact_and_happens_once_per_patient(documents, share, seed):
    rng = np.random.default_rng(seed)
    patient = draw_patients(rng, documents)
    later = later_notes(rng, patient, round(share * documents))
    assert later.sum() == round(share * documents)
    for one in np.unique(patient):
        assert (np.diff(later[patient == one].astype(int)) >= 0).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.floats(0, 0.9), st.floats(0, 1), st.integers(0, 1000))
def test_stays_are_as_many_as_asked_for(documents, silent, silent_patients, seed):
    rng = np.random.default_rng(seed)
    patient = draw_patients(rng, documents)
    stays = draw_stays(rng, patient, silent, silent_patients)
    extra = round(silent * documents)
    assert stays.admissions.height == len(stays.document) == documents + extra
    assert stays.patients.height == patient[-1] + 1 + round(silent_patients * extra)
    assert (stays.document[stays.documented] == np.arange(documents)).all()
    own = stays.patients["SUBJECT_ID"].to_numpy()[patient]
    assert (stays.admissions["SUBJECT_ID"].to_numpy()[stays.documented] == own).all()
    assert stays.admissions["HADM_ID"].is_unique().all()


def test_sentences_fill_their_slots():
    made = make_sentences(np.random.default_rng(1), ["{dd}/{d} {what}"], {"what": ["a", "b"]}, 50)
    assert {one[-1] for one in made} == {"a", "b"}
    assert all(len(one.split("/")[0]) == 2 for one in made)


@given(st.integers(0, 40), st.integers(0, 100))
def test_the_chart_writes_as_many_notes_as_asked_for(size, seed):
    texts = CHART.draw_texts(np.random.default_rng(seed), size, 30.0)
    assert len(texts) == size
    assert all(texts)


CHART = Chart(np.random.default_rng(1), read_prose(PROSE), 60)


@pytest.mark.parametrize("name", ["simulated_full", "simulated_mimic4"])
def test_the_full_size_overlays_fit_the_schema(name):
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    overlay = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))
    for key in ("split", "simulation"):
        config["corpus"][key] |= overlay["corpus"].pop(key)
    config["corpus"] |= overlay["corpus"]
    config["tiers"] |= overlay["tiers"]
    check_config(config, ROOT / "workflow" / "schemas" / "config.schema.yaml")
    assert config["corpus"]["name"] == name


def test_mimic4_needs_its_icd10_block():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    config["corpus"]["simulation"]["layout"] = "mimic4"
    with pytest.raises(UserError, match=r"corpus\.simulation\.icd10"):
        check_config(config, ROOT / "workflow" / "schemas" / "config.schema.yaml")


def test_more_icd10_codes_than_exist_is_one_clear_error():
    with pytest.raises(UserError, match=r"corpus\.simulation\.icd10\.codes: 999999"):
        draw_icd10_pool(np.random.default_rng(1), 999_999)
