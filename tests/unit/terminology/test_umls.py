"""Every English string of a code's concepts, and nothing that is suppressed or foreign."""

import gzip

import demo_terminology
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.terminology.synonyms import extract_synonyms
from longtail_icd.terminology.umls import read_umls
from mrconso import LINES, row


@pytest.fixture
def mrconso(tmp_path):
    path = tmp_path / "MRCONSO.RRF"
    path.write_text("".join(LINES), encoding="utf-8")
    return path


def _strings(table, code):
    return table.filter(code=code)["wording"].to_list()


def test_all_english_strings_of_all_concepts_of_a_code(mrconso):
    table = read_umls(mrconso, ["icd9cm"])
    assert table.columns == ["version", "code", "wording", "source"]
    assert _strings(table, "428.0") == [
        "FEEBLE  PUMP",
        "Feeble pump",
        "Late pump name",
        "Pump weakness",  # without the semantic tag
        "Soaked lung state",
        "Soaked lungs",
        'The "tired" pump',
        "Weak pump of the heart",
        "Wet lungs from the pump",
    ]
    assert _strings(table, "38.93") == ["Line into a vein", "Vein line"]
    assert "401.9" not in table["code"]  # its row is suppressed
    assert set(table["source"]) == {"umls"}


def test_each_code_system_has_its_own_codes(mrconso):
    table = read_umls(mrconso, ["icd10cm", "icd10pcs"])
    assert table["version"].unique().to_list() == ["icd10cm"]
    assert _strings(table, "I50.1") == [
        "Soaked lung state",
        "Soaked lungs",
        "Wet lungs from the pump",
    ]


@pytest.mark.parametrize("block", [200, 1000, 10**6])
def test_block_size_gzip_and_order_of_rows_change_nothing(mrconso, tmp_path, block):
    packed = tmp_path / "MRCONSO.RRF.gz"
    packed.write_bytes(gzip.compress("".join(reversed(LINES)).encode()))
    assert read_umls(packed, ["icd9cm"], block).equals(read_umls(mrconso, ["icd9cm"]))


def test_a_last_line_without_its_line_break_is_read(mrconso, tmp_path):
    cut = tmp_path / "cut.RRF"
    cut.write_text("".join(LINES)[:-1], encoding="utf-8")
    assert read_umls(cut, ["icd9cm"]).equals(read_umls(mrconso, ["icd9cm"]))


@given(st.lists(st.text(st.characters(exclude_characters="|\r\n", codec="utf-8"), min_size=1)))
def test_any_text_without_a_bar_comes_through(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("umls") / "MRCONSO.RRF"
    lines = [row("C1", "name", sab="ICD9CM", code="001.0"), *(row("C1", text) for text in texts)]
    path.write_bytes("".join(lines).encode())
    found = set(read_umls(path, ["icd9cm"], 300)["wording"])
    assert {text for text in texts if not text.endswith(")")} <= found


def test_the_strings_become_synonyms_after_the_public_ones(mrconso):
    """A wording that the classification has too keeps its public source: provenance."""
    codes = demo_terminology.taxonomy("icd9cm")
    with mrconso.open("a", encoding="utf-8") as stream:
        stream.write(row("C0000001", "CHF NOS"))
    sources = ["short_title", "umls"]
    table = extract_synonyms(codes, sources, {"umls": mrconso}).filter(code="428.0")
    found = dict(table.select("synonym", "source").iter_rows())
    assert found["chf nos"] == "short_title"
    assert found["feeble pump"] == found["pump weakness"] == "umls"
    assert table.select(pl.col("synonym").is_unique().all()).item()
    assert "420-429.99" not in table["code"]
