"""Bad raw files end in one error that names file and remedy, and leave no output behind."""

import gzip
import random
import runpy
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from corpus_files import (
    BOTH,
    empty_store,
    hospital,
    hospital_4,
    note,
    prepared,
)
from longtail_icd.common.errors import UserError
from longtail_icd.corpus import prepared_notes, raw_tables
from longtail_icd.corpus.codiesp import read_codiesp
from longtail_icd.corpus.discharge_summaries import read_summaries
from longtail_icd.corpus.joining import DEFAULT
from longtail_icd.corpus.mimic3 import read_admissions, read_labels
from longtail_icd.corpus.mimic4 import read_mimic4
from longtail_icd.corpus.raw_files import codiesp_files, find_ids, mimic4_files
from longtail_icd.corpus.split import assign_splits
from snakemake.iocontainers import InputFiles

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "prepare_corpus.py"
HEADER = "ROW_ID,SUBJECT_ID,HADM_ID,CHARTDATE,CHARTTIME,CATEGORY,DESCRIPTION,ISERROR,TEXT\n"
CODES = "ROW_ID,SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE\n"


def _notes(count=400):
    draw = random.Random(1)
    rows = [
        f"{number},1,{number},2101-01-01,,Discharge summary,Report,,"
        f'"SECRET {draw.randbytes(40).hex()}\nmore\nlines"\n'
        for number in range(count)
    ]
    return (HEADER + "".join(rows)).encode()


def _cut(content, end):
    """Cut shortly after the middle, just after ``end``: inside a quoted note if it is a break."""
    return content[: content.index(end, len(content) // 2) + len(end)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("NOTEEVENTS.csv.gz", gzip.compress(_notes())[:-5000]),
        ("NOTEEVENTS.csv.gz", gzip.compress(_notes())[:-4]),
        ("NOTEEVENTS.csv.gz", gzip.compress(_cut(_notes(), b"more\n"))),
        ("NOTEEVENTS.csv", _cut(_notes(), b"more\n")),
        ("NOTEEVENTS.csv", _cut(_notes(), b"mo")),
        ("NOTEEVENTS.csv", _cut(_notes(), b"Discharge")),
        ("NOTEEVENTS.csv.gz", b"no gzip"),
        ("NOTEEVENTS.csv", _notes(3) + b"\xff,\xff\n"),
    ],
    ids=["gz", "gz end", "cut then zipped", "in a note", "in a line", "in a row", "no gz", "bytes"],
)
def test_a_note_table_that_is_cut_off_or_damaged(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"NOTEEVENTS.*cannot be read to its end.*again") as error:
        read_summaries(path, empty_store(), DEFAULT)
    assert "SECRET" not in str(error.value)


def test_a_code_table_cut_inside_a_code(tmp_path):
    """0117 cut to 01 would be another code, and nothing else would tell."""
    (tmp_path / "PROCEDURES_ICD.csv").write_text(CODES + "1,1,100,1,0117\n2,1,100,2,01")
    with pytest.raises(UserError, match=r"PROCEDURES_ICD.csv: cannot be read to its end"):
        read_labels(tmp_path, ["procedure"])


@pytest.mark.parametrize("content", ["", "\n"])
def test_an_empty_file_lacks_its_columns(tmp_path, content):
    (tmp_path / "PROCEDURES_ICD.csv").write_text(content)
    with pytest.raises(UserError, match=r"PROCEDURES_ICD.csv: column HADM_ID is missing"):
        read_labels(tmp_path, ["procedure"])


def test_a_header_alone_is_an_empty_table(tmp_path):
    (tmp_path / "PROCEDURES_ICD.csv").write_text(CODES)
    assert read_labels(tmp_path, ["procedure"])[0].height == 0


def test_a_missing_column_names_file_and_column(tmp_path):
    (tmp_path / "ADMISSIONS.csv").write_text("ROW_ID,SUBJECT_ID,HADM_ID\n1,1,1\n")
    with pytest.raises(UserError, match=r"ADMISSIONS.csv: column ADMITTIME is missing"):
        read_admissions(tmp_path)


def test_a_missing_note_table_says_how_to_do_without(tmp_path):
    (tmp_path / "NOTEEVENTS.csv").write_text(HEADER + "1,1,1,,,Nursing,Report,,x\n")
    with pytest.raises(UserError, match=r"no row has CATEGORY 'Discharge summary'.*notes: none"):
        read_summaries(tmp_path / "NOTEEVENTS.csv", empty_store(), DEFAULT)


def test_a_failed_rule_leaves_nothing_half_written(tmp_path):
    (tmp_path / "ADMISSIONS.csv").write_text("ROW_ID,SUBJECT_ID,HADM_ID,ADMITTIME\n")
    (tmp_path / "PATIENTS.csv").write_text("ROW_ID,SUBJECT_ID,GENDER,DOB\n")
    (tmp_path / "DIAGNOSES_ICD.csv").write_text(CODES)
    (tmp_path / "NOTEEVENTS.csv").write_bytes(_cut(_notes(), b"more\n"))
    out = tmp_path / "out"
    snakemake = SimpleNamespace(
        input=InputFiles(fromdict={"ADMISSIONS": str(tmp_path / "ADMISSIONS.csv")}),
        output=SimpleNamespace(**{name: out / name for name in ("notes", "labels", "manifest")}),
        params=SimpleNamespace(
            path=tmp_path,
            settings={
                "adapter": "mimic3",
                "kinds": ["diagnosis"],
                "notes": "discharge",
                "language": "en",
            },
        ),
    )
    with pytest.raises(UserError, match="NOTEEVENTS"):
        runpy.run_path(str(SCRIPT))["main"](snakemake)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("keep", [-2000, -4], ids=["in the middle", "end"])
def test_a_code_table_cut_in_the_middle_of_the_gzip_stream(tmp_path, keep):
    path = tmp_path / "PROCEDURES_ICD.csv.gz"
    content = (CODES + "".join(f"{i},1,{i},1,{i % 97:04d}\n" for i in range(5000))).encode()
    path.write_bytes(gzip.compress(content)[:keep])
    with pytest.raises(UserError, match=r"PROCEDURES_ICD.csv.gz: cannot be read to its end"):
        read_labels(tmp_path, ["procedure"])


def test_an_unclosed_quote_is_named(tmp_path):
    path = tmp_path / "NOTEEVENTS.csv"
    path.write_text(HEADER + '1,1,1,,,Discharge summary,Report,,"SECRET\n')
    with pytest.raises(UserError, match=r"NOTEEVENTS.*a quoted value is never closed") as error:
        read_summaries(path, empty_store(), DEFAULT)
    assert "SECRET" not in str(error.value)


def test_an_unclosed_quote_early_in_a_long_file(tmp_path, monkeypatch):
    """All that follows is one value then: longer than any note."""
    monkeypatch.setattr(raw_tables, "BLOCK", 1 << 12)
    path = tmp_path / "NOTEEVENTS.csv"
    rows = "".join(f"{i},1,{i},,,Discharge summary,Report,,SECRET\n" for i in range(2000))
    path.write_text(HEADER + '0,1,1,,,Discharge summary,Report,,"SECRET\n' + rows)
    with pytest.raises(UserError, match=r"NOTEEVENTS.*or never closed") as error:
        read_summaries(path, empty_store(), DEFAULT)
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("end", [".csv", ".csv.gz"])
def test_latin_1_where_utf_8_was_promised(tmp_path, end):
    path = tmp_path / f"NOTEEVENTS{end}"
    content = (HEADER + '1,1,1,,,Discharge summary,Report,,"SECRET ni\xf1a"\n').encode("latin-1")
    path.write_bytes(gzip.compress(content) if end == ".csv.gz" else content)
    with pytest.raises(UserError, match=r"NOTEEVENTS.*not in UTF-8.*iconv -f latin1") as error:
        read_summaries(path, empty_store(), DEFAULT)
    assert "SECRET" not in str(error.value)


def _nothing_written(tmp_path):
    return not any((tmp_path / "out").iterdir())


def test_a_missing_table(tmp_path):
    folder = hospital(tmp_path / "h", [note(1, 100, "x")], ["100,1,4019"])
    (folder / "PROCEDURES_ICD.csv.gz").unlink()
    with pytest.raises(UserError, match=r"no PROCEDURES_ICD.csv.gz or PROCEDURES_ICD.csv"):
        prepared(folder, tmp_path)
    assert _nothing_written(tmp_path)


def test_a_missing_table_of_mimic4(tmp_path):
    folder = hospital_4(tmp_path / "h", [], [])
    (folder / "note" / "discharge.csv.gz").unlink()
    with pytest.raises(UserError, match=r"no note/discharge.csv.gz.*MIMIC-IV-Note.*notes: none"):
        mimic4_files(folder, BOTH, "discharge")


def test_ids_that_match_no_note(tmp_path):
    folder = hospital(tmp_path / "h", [note(1, 100, "x")], ["999,1,4019"])
    with pytest.raises(UserError, match=r"none of 1 codes belongs to one of 1 documents"):
        prepared(folder, tmp_path)
    assert _nothing_written(tmp_path)


def test_notes_of_mimic4_that_belong_to_no_coded_admission(tmp_path):
    folder = hospital_4(
        tmp_path / "h", ['n1,1,10,DS,1,2108-05-02 00:00:00,,"x"'], ["1,10,1,I10,10"]
    )
    with pytest.raises(UserError, match=r"discharge.csv.gz: no note belongs to.*corpus.edition"):
        read_mimic4(folder, ["diagnosis"], "discharge", "icd9", empty_store())


def test_a_corpus_with_no_codes_at_all(tmp_path):
    folder = hospital(tmp_path / "h", [note(1, 100, "x")], ["100,1,"])
    with pytest.raises(UserError, match=r"the corpus has no codes"):
        prepared(folder, tmp_path)
    assert _nothing_written(tmp_path)


def test_rules_that_leave_no_code(tmp_path):
    folder = hospital(tmp_path / "h", [note(1, 100, "x")], ["100,1,4019"])
    labels = {"rules": "edin", "min_documents": None, "recount": False}
    with pytest.raises(UserError, match=r"the rules edin leave no code"):
        prepared(folder, tmp_path, labels=labels)
    assert _nothing_written(tmp_path)


def test_a_code_list_that_fits_nothing(tmp_path):
    folder = hospital(tmp_path / "h", [note(1, 100, "x")], ["100,1,4019"])
    path = tmp_path / "list.csv"
    path.write_text("4019\n")
    labels = {"rules": "mullenbach_50", "min_documents": None, "recount": False}
    with pytest.raises(UserError, match=r"list.csv: no document has one of its codes.*401.9"):
        prepared(folder, tmp_path, labels=labels, code_list=path)
    path.write_text("\n")
    with pytest.raises(UserError, match=r"list.csv: names no code"):
        prepared(folder, tmp_path, labels=labels, code_list=path)


TABLE = "note_id,patient_id,text,codes,version,kind,split,age\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("note_id,text,codes\n", r"column patient_id is missing"),
        (TABLE, r"has no rows"),
        (TABLE + "a,1,x,I10,icd11,,,\n", r"column version: 1 rows hold none of icd9cm, icd10cm"),
        (TABLE + "a,1,x,I10,,symptom,,\n", r"column kind: 1 rows hold none of diagnosis"),
        (TABLE + "a,1,x,I10,,,test1,\n", r"column split: only train, dev, test"),
        (TABLE + "a,1,x,I10,,,,old\n", r"column age: 1 values cannot be read"),
        (TABLE + "a,,x,I10,,,,\n", r"1 notes have no patient_id"),
        (TABLE + "a,1,x,I10,,,,\na,2,,I11,,,,\n", r"1 notes have rows that differ in .*patient_id"),
        (TABLE + "a,1,x,I10,,,,\na,1,y,I11,,,,\n", r"1 notes have rows that differ in .*text"),
        (
            TABLE + "a,1,x,I10,icd10cm,,,\nb,1,y,4019,icd9cm,,,\n",
            r"diagnosis in icd10cm and icd9cm",
        ),
        (TABLE + "a,1,x,,,,,\n", r"the corpus has no codes"),
    ],
)
def test_a_table_that_contradicts_itself(tmp_path, content, message):
    path = tmp_path / "notes.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        prepared(path, tmp_path, "table", edition="icd10")
    assert _nothing_written(tmp_path)


def test_a_damaged_parquet_table(tmp_path):
    path = tmp_path / "notes.parquet"
    path.write_bytes(b"PAR1 no")
    with pytest.raises(UserError, match=r"notes.parquet: not a readable Parquet file"):
        prepared(path, tmp_path, "table", edition="icd10")


def test_a_preparation_that_is_interrupted_leaves_no_text_behind(tmp_path, monkeypatch):
    folder = hospital(tmp_path / "h", [note(1, 100, "x")], ["100,1,4019"])

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(prepared_notes.pl.LazyFrame, "sink_parquet", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepared(folder, tmp_path)
    assert _nothing_written(tmp_path)
    monkeypatch.undo()
    prepared(folder, tmp_path)
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        "labels.parquet",
        "notes.parquet",
    ]


def _codiesp(folder):
    for split in ("train", "dev", "test"):
        (folder / split / "text_files_en").mkdir(parents=True)
        (folder / split / f"{split}D.tsv").write_text(f"{split}1\tr52\n")
        (folder / split / "text_files_en" / f"{split}1.txt").write_text("Pain.")
    return folder


def _spoil(folder, path, content):
    """Replace a file of the corpus; with None, delete it."""
    file = folder / path
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("dev/text_files_en/dev1.txt", None, r"no dev1.txt, which the tables of dev name"),
        ("dev/text_files_en/train1.txt", b"x", r"document train1 is in two splits"),
        ("dev/text_files_en/dev1.txt", b"\xff", r"dev1.txt: not a text in UTF-8"),
        ("test/testD.tsv", b"test1\tr52\ntest1", r"testD.tsv: line 2 is not"),
        ("test/testD.tsv", b"test1 r52\n", r"testD.tsv: line 1 is not"),
        ("test/testD.tsv", None, r"testD.tsv: no such file or folder"),
    ],
)
def test_a_damaged_codiesp(tmp_path, path, content, message):
    _spoil(_codiesp(tmp_path), path, content)
    with pytest.raises(UserError, match=message):
        read_codiesp(tmp_path, ["diagnosis"], "discharge", "en", empty_store())


def test_a_missing_folder_of_texts_is_found_before_anything_runs(tmp_path):
    with pytest.raises(UserError, match=r"text_files: no such file or folder"):
        codiesp_files(_codiesp(tmp_path), ["diagnosis"], "discharge", "es")


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
        ((["1"], ["2", "3"], ["4"]), r"the test split is empty"),
        ((["1"], ["1", "2"], ["3"]), r"2 lines of the id files repeat an id"),
    ],
)
def test_id_files_that_make_no_split(tmp_path, ids, message):
    with pytest.raises(UserError, match=message):
        assign_splits(NOTES, "official", 0, 0, 1, _ids(tmp_path, *ids))


def test_two_sets_of_id_files_in_one_folder(tmp_path):
    _ids(tmp_path, ["1"], ["2"], ["3"])
    (tmp_path / "train_50_hadm_ids.csv").write_text("1\n")
    with pytest.raises(UserError, match=r"train_50_hadm_ids.csv, train_full.*folder of its own"):
        find_ids(tmp_path)


def test_no_id_files(tmp_path):
    with pytest.raises(UserError, match=r"one file train_\*hadm_ids.csv wanted, found none"):
        find_ids(tmp_path)


def test_a_source_without_a_split_of_its_own():
    with pytest.raises(UserError, match=r"corpus.split.ids, or set method: patient"):
        assign_splits(NOTES, "official", 0, 0, 1, {})


def test_too_few_patients_for_three_splits():
    with pytest.raises(UserError, match=r"the dev split is empty"):
        assign_splits(NOTES, "patient", 0.1, 0.3, 1, {})
