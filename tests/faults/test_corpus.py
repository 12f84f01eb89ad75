"""Bad raw files end in one error that names file and remedy, and leave no output behind."""

import gzip
import random
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.corpus.codiesp import read_codiesp
from longtail_icd.corpus.discharge_summaries import read_summaries
from longtail_icd.corpus.mimic3 import read_admissions, read_labels
from longtail_icd.corpus.raw_files import codiesp_files
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
        read_summaries(path)
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
        read_summaries(tmp_path / "NOTEEVENTS.csv")


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
            path=None,
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
    assert not out.exists()


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
        read_codiesp(tmp_path, ["diagnosis"], "discharge", "en")


def test_a_missing_folder_of_texts_is_found_before_anything_runs(tmp_path):
    with pytest.raises(UserError, match=r"text_files: no such file or folder"):
        codiesp_files(_codiesp(tmp_path), ["diagnosis"], "discharge", "es")
