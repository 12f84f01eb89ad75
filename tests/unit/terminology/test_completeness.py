"""Every code of every system has a title and a place, and its ancestors end at a chapter."""

import hashlib

import demo_terminology
import polars as pl
import pytest
from longtail_icd.common.code_systems import icd9_titles, icd10cm_tree
from longtail_icd.terminology.lookup import Ancestors

SYSTEMS = ("icd9cm", "icd10cm", "icd10pcs")


def _checksum(table):
    return hashlib.sha256(table.write_csv().encode()).hexdigest()


def test_the_demo_has_the_terminology_that_its_published_results_were_made_with():
    """Protects the figures in the README: a change here makes them stale."""
    codes = demo_terminology.taxonomy("icd9cm")
    synonyms = demo_terminology.synonyms("icd9cm")
    assert (codes.height, synonyms.height) == (22_396, 66_685)
    assert _checksum(codes) == "53feadca5c4e24c606986e80502db950b2da396f2082854a0491d5bf243e5801"
    assert _checksum(synonyms) == "996aad79d121c8083ea30ad939c7219255ff0f2843e81f41a899b018321f6181"


@pytest.mark.parametrize("version", SYSTEMS)
def test_every_leaf_has_a_title_a_category_a_block_and_a_chapter(version):
    leaves = demo_terminology.taxonomy(version).filter("is_leaf")
    assert leaves.height > 18_000
    for column in ("title", "title_source", "parent", "category", "block", "chapter"):
        assert leaves[column].null_count() == 0
        assert (leaves[column].str.len_chars() > 0).all()


@pytest.mark.parametrize("version", SYSTEMS)
def test_every_chain_of_ancestors_ends_at_the_codes_own_chapter(version):
    """Over all nodes; on the way lie the block and the category that the row names."""
    codes = demo_terminology.taxonomy(version)
    ancestors = Ancestors(codes, version)
    for code, category, block, chapter in codes.select(
        "code", "category", "block", "chapter"
    ).iter_rows():
        path = [code, *ancestors.of(code)]
        assert path[-1] == chapter, code
        assert category is None or category in path, code
        assert block is None or block in path, code


def test_no_code_of_the_lists_is_lost():
    known = demo_terminology.taxonomy("icd9cm").filter("is_leaf").select("kind", "code", "title")
    assert known.equals(icd9_titles().select("kind", "code", "title").sort("kind", "code"))
    modern = demo_terminology.taxonomy("icd10cm")
    assert icd10cm_tree().join(modern, on="code", how="anti").is_empty()


def test_titles_that_no_list_gives_are_marked():
    """V32 lists codes alone: its headings' titles are derived, and say so."""
    codes = demo_terminology.taxonomy("icd9cm")
    derived = {"unspecified_code", "common_words", "node_above", "ranges"}
    headings = codes.filter(~pl.col("is_leaf"))
    assert set(headings["title_source"]) == derived
    assert set(codes.filter("is_leaf")["title_source"]) == {"cms_v32"}
