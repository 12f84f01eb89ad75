"""ICD-10 places and synonyms: every node has its parent; a synonym is never the title again."""

import polars as pl
import pytest
from longtail_icd.common.tables import TABLES
from longtail_icd.common.wordings import lowered
from longtail_icd.terminology.synonyms import clean_synonyms, extract_synonyms
from longtail_icd.terminology.taxonomy import CODE_SYSTEMS_OF, extract_taxonomy


@pytest.fixture(scope="module")
def codes():
    """Return the taxonomy of ICD-10-CM and ICD-10-PCS; they need no ranges."""
    return extract_taxonomy(CODE_SYSTEMS_OF["codiesp"], "unused")


@pytest.fixture(scope="module")
def synonyms():
    return extract_synonyms(["icd9cm", "icd10cm", "icd10pcs"])


def test_every_node_has_a_title_and_a_parent(codes):
    assert codes.schema == TABLES["terminology/codes"].columns
    assert codes.select(pl.struct("version", "code").is_unique().all()).item()
    assert (codes["title"].str.len_chars() > 0).all()
    key = codes.select("version", parent="code")
    orphans = codes.filter(pl.col("parent").is_not_null()).join(
        key, on=["version", "parent"], how="anti"
    )
    assert orphans.is_empty()
    tops = codes.filter(pl.col("parent").is_null())
    assert (tops["chapter"] == tops["code"]).all()


@pytest.mark.parametrize(
    ("code", "parent", "category", "block", "chapter", "is_leaf"),
    [
        ("E11.9", "E11", "E11", "E08-E13", "4", True),
        ("E11", "E08-E13", "E11", "E08-E13", "4", False),
        ("0DTJ4ZZ", "0DTJ", "0DT", "0D", "0", True),
        ("0DTJ", "0DT", "0DT", "0D", "0", False),
        ("0", None, None, None, "0", False),
    ],
)
def test_places(codes, code, parent, category, block, chapter, is_leaf):
    row = codes.filter(code=code).row(0, named=True)
    assert [row[name] for name in ("parent", "category", "block", "chapter", "is_leaf")] == [
        parent,
        category,
        block,
        chapter,
        is_leaf,
    ]


def test_prefixes_of_procedures_are_titled_by_what_they_share(codes):
    row = codes.filter(code="0DTJ").row(0, named=True)
    assert (row["title"], row["title_source"]) == ("Resection of Appendix", "common_words")


def test_codes_deleted_since_2024_stay_in(codes):
    deleted = codes.filter(version="icd10cm", title_source="cms_2024")
    assert deleted.height == 15
    assert deleted["parent"].null_count() == 0


def test_cleaning_by_hand():
    wordings = pl.DataFrame(
        {
            "kind": "diagnosis",
            "code": "428.0",
            "wording": ["CHF NOS", "Heart Failure", "heart failure", "CHF", "Congestive failure"],
            "source": [
                "short_title",
                "inclusion_term",
                "icd10_title",
                "inclusion_term",
                "official",
            ],
        }
    )
    titles = pl.DataFrame({"kind": "diagnosis", "code": "428.0", "title": ["Congestive failure"]})
    assert clean_synonyms(wordings, titles).select("synonym", "source").rows() == [
        ("chf", "short_title"),
        ("chf nos", "short_title"),
        ("heart failure", "icd10_title"),
    ]


def test_synonyms_are_clean(synonyms):
    assert synonyms.schema == TABLES["terminology/synonyms"].columns
    text = synonyms["synonym"]
    assert (text == text.str.to_lowercase()).all()
    assert not text.str.contains(r"^\s|\s$|\s\s").any()
    assert synonyms.select(pl.struct("version", "code", "synonym").is_unique().all()).item()
    assert "icd10pcs" not in synonyms["version"]


def test_a_synonym_is_never_the_title(synonyms, codes):
    both = synonyms.join(codes, on=["version", "code"])
    assert both.filter(pl.col("synonym") == lowered(pl.col("title"))).is_empty()


def test_known_synonyms(synonyms):
    found = synonyms.filter(version="icd9cm", code="428.0")["synonym"].to_list()
    assert {"chf", "chf nos", "congestive heart disease", "congestive heart failure"} <= set(found)
    assert "septicemia" in synonyms.filter(code="038.9")["synonym"].to_list()
    assert "venous cath" in synonyms.filter(code="38.93")["synonym"].to_list()
