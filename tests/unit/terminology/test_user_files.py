"""Terms of the user's own index, MIMIC's own titles, and where they are looked for."""

import gzip

import demo_terminology
import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.terminology.d_icd import read_d_icd
from longtail_icd.terminology.index_terms import read_index
from longtail_icd.terminology.synonyms import extract_synonyms
from longtail_icd.terminology.taxonomy import add_codes
from longtail_icd.terminology.user_files import find_d_icd

INDEX = """<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index><letter><title>A</title>
<mainTerm><title>Abscess <nemod>(chronic)</nemod></title><code>L02.91</code>
 <term level="1"><title>brain <nemod>(any part)</nemod></title><code>G06.0</code>
  <term level="2"><title>amebic</title><code>A06.6</code></term>
  <term level="2"><title>tuberculous</title><see>Tuberculosis, brain</see></term></term>
 <term level="1"><title>skull</title><code>M86.-</code></term></mainTerm>
<mainTerm><title>Aarskog's syndrome</title><code>Q87.19</code></mainTerm>
<mainTerm><title>Abandonment</title><see>Maltreatment</see></mainTerm>
</letter></ICD10CM.index>"""


def test_a_path_of_index_terms_names_the_code_at_its_end(tmp_path):
    (tmp_path / "index.xml").write_text(INDEX)
    table = read_index(tmp_path / "index.xml")
    assert table.select("code", "wording").rows() == [
        ("L02.91", "Abscess"),
        ("G06.0", "Abscess brain"),
        ("A06.6", "Abscess brain amebic"),
        ("M86", "Abscess skull"),
        ("Q87.19", "Aarskog's syndrome"),
    ]
    assert set(table["source"]) == {"index_term"}


def test_index_terms_become_synonyms_of_nodes_too(tmp_path):
    (tmp_path / "index.xml").write_text(INDEX)
    codes = demo_terminology.taxonomy("icd10cm")
    table = extract_synonyms(codes, ["index_term"], {"index": tmp_path / "index.xml"})
    assert ("M86", "abscess skull") in table.select("code", "synonym").rows()


def _write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as stream:
        stream.write("\n".join([*lines, ""]))


@pytest.fixture
def mimic3(tmp_path):
    header = '"ROW_ID","ICD9_CODE","SHORT_TITLE","LONG_TITLE"'
    _write(tmp_path / "D_ICD_DIAGNOSES.csv.gz", header, '1,"0389","Sepsis x","Made-up, sepsis"')
    _write(tmp_path / "D_ICD_PROCEDURES.csv.gz", header, '1,"0117","Brain temp","Made-up brain"')
    return tmp_path


@pytest.fixture
def mimic4(tmp_path):
    header = "icd_code,icd_version,long_title"
    rows = ["0389,9,Made-up sepsis", "E872  ,10,Made-up acidosis", "Q9X9,10,Nowhere to be put"]
    _write(tmp_path / "hosp" / "d_icd_diagnoses.csv.gz", header, *rows)
    rows = ["0117,9,Made-up brain", "0DT9999,10,Made-up bowel"]
    _write(tmp_path / "hosp" / "d_icd_procedures.csv.gz", header, *rows)
    return tmp_path


def test_titles_of_mimic3_keep_their_zeros(mimic3):
    table = read_d_icd(find_d_icd(mimic3))
    assert table.rows() == [
        ("icd9cm", "diagnosis", "038.9", "Made-up, sepsis", "d_icd"),
        ("icd9cm", "diagnosis", "038.9", "Sepsis x", "d_icd"),
        ("icd9cm", "procedure", "01.17", "Made-up brain", "d_icd"),
        ("icd9cm", "procedure", "01.17", "Brain temp", "d_icd"),
    ]


def test_titles_of_mimic4_by_version_padding_stripped(mimic4):
    table = read_d_icd(find_d_icd(mimic4))
    assert table.select("version", "code", "wording").rows() == [
        ("icd9cm", "038.9", "Made-up sepsis"),
        ("icd10cm", "E87.2", "Made-up acidosis"),
        ("icd10cm", "Q9X.9", "Nowhere to be put"),
        ("icd9cm", "01.17", "Made-up brain"),
        ("icd10pcs", "0DT9999", "Made-up bowel"),
    ]


def test_deleted_codes_get_the_hospitals_title_and_known_ones_keep_their_own(mimic4):
    codes = demo_terminology.taxonomy("icd10cm", "icd10pcs")
    more = add_codes(codes, read_d_icd(find_d_icd(mimic4)))
    added = more.filter(title_source="d_icd")
    assert added.select("code", "title", "parent", "chapter").rows() == [
        ("Q9X.9", "Nowhere to be put", None, None),
        ("0DT9999", "Made-up bowel", "0DT9", "0"),
    ]
    assert more.filter(title_source="d_icd").join(codes, on=["version", "code"]).is_empty()
    assert more.height == codes.height + 2


def test_titles_of_mimic_are_a_source_of_synonyms(mimic3):
    codes = demo_terminology.taxonomy("icd9cm")
    table = extract_synonyms(codes, ["d_icd"], find_d_icd(mimic3))
    assert table.select("code", "synonym").rows() == [
        ("038.9", "made-up, sepsis"),
        ("038.9", "sepsis x"),
        ("01.17", "brain temp"),
        ("01.17", "made-up brain"),
    ]


def test_missing_tables_are_named(tmp_path, mimic3):
    (mimic3 / "D_ICD_PROCEDURES.csv.gz").unlink()
    with pytest.raises(UserError, match=r"terminology.d_icd: .*no D_ICD_PROCEDURES.csv.gz"):
        find_d_icd(tmp_path)


def test_a_table_of_another_kind_is_named(mimic3):
    pl.DataFrame({"code": ["1"]}).write_csv(mimic3 / "D_ICD_PROCEDURES.csv")
    (mimic3 / "D_ICD_PROCEDURES.csv.gz").unlink()
    with pytest.raises(UserError, match="column icd_code is missing"):
        read_d_icd(find_d_icd(mimic3))
