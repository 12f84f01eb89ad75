"""ICD-10 places and synonyms: every node has its parent; a synonym is never the title again."""

import demo_terminology
import polars as pl
import pytest
from longtail_icd.common.tables import TABLES
from longtail_icd.common.wordings import lowered
from longtail_icd.terminology.pcs_values import ROOT_OPERATIONS
from longtail_icd.terminology.synonyms import clean_synonyms


@pytest.fixture(scope="module")
def codes():
    return demo_terminology.taxonomy("icd10cm", "icd10pcs")


@pytest.fixture(scope="module")
def synonyms():
    return pl.concat(
        [demo_terminology.synonyms(*versions) for versions in (["icd9cm"], ["icd10cm", "icd10pcs"])]
    )


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


def test_the_values_of_procedures_are_titled(codes):
    titles = codes.filter(pl.col("code").is_in(["0", "0D", "0DT", "2W", "0H2"]))
    assert titles.select("code", "title", "title_source").rows() == [
        ("0", "Medical and Surgical", "cms_2024"),
        ("0D", "Gastrointestinal System", "pcs_values"),
        ("0DT", "Resection", "pcs_values"),
        ("0H2", "Change", "pcs_values"),
        ("2W", "Anatomical Regions", "pcs_values"),
    ]


def test_every_surgical_title_begins_with_its_root_operation(codes):
    """Protects the table of root operations: the list of codes itself is the check."""
    surgical = codes.filter(pl.col("is_leaf") & pl.col("code").str.starts_with("0")).filter(
        version="icd10pcs"
    )
    operation = pl.col("code").str.slice(2, 1).replace_strict(ROOT_OPERATIONS)
    assert surgical.height > 60_000
    assert surgical.select((operation == pl.col("title").str.split(" ").list.first()).all()).item()


def test_cleaning_by_hand():
    """Case, white space, the title again, a wording of two sources, a code of no taxonomy."""
    wordings = pl.DataFrame(
        [
            ("428.0", "CHF  NOS", "short_title"),
            ("428.0", "Heart Failure", "inclusion_term"),
            ("428.0", "heart failure", "icd10_title"),
            ("428.0", "CHF", "inclusion_term"),
            ("428.0", "Congestive failure", "official"),
            ("428.0", "HF", "short_title"),
            ("999.9", "Anything", "official"),
        ],
        schema=["code", "wording", "source"],
        orient="row",
    ).with_columns(version=pl.lit("icd9cm"))
    titles = pl.DataFrame(
        {
            "version": "icd9cm",
            "kind": "diagnosis",
            "code": "428.0",
            "title": ["Congestive failure"],
        }
    )
    best_first = ["official", "short_title", "icd10_title", "inclusion_term"]
    assert clean_synonyms(wordings, titles, best_first).select("synonym", "source").rows() == [
        ("chf", "short_title"),
        ("chf nos", "short_title"),
        ("heart failure", "icd10_title"),
    ]
    best_last = clean_synonyms(wordings, titles, best_first[::-1])
    assert best_last.select("synonym", "source").rows() == [
        ("chf", "inclusion_term"),
        ("heart failure", "inclusion_term"),
        ("chf nos", "short_title"),
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
