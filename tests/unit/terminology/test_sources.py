"""Mapped descriptions: single counterparts, combinations apart, both ways."""

import demo_terminology
import polars as pl
import pytest
from longtail_icd.common import code_systems
from longtail_icd.common.code_systems import gem_combinations, gem_diagnoses
from longtail_icd.terminology.sources import PUBLIC, read_wordings

GEM = """"icd9cm","icd10cm","flags","approximate","no_map","combination","scenario","choice_list"
"0389","A419","00000",0,0,0,0,0
"0730","A70","10111",1,0,1,1,1
"0730","J17","10112",1,0,1,1,2
"0730","J18","10112",1,0,1,1,2
"7999","NoDx","11000",1,1,0,0,0
"""


@pytest.fixture
def hand_made(monkeypatch):
    read = code_systems._read_bytes
    monkeypatch.setattr(
        code_systems,
        "_read_bytes",
        lambda name: GEM.encode() if name == code_systems.GEM else read(name),
    )


def test_combinations_are_kept_apart_and_codes_without_counterpart_dropped(hand_made):
    assert gem_diagnoses().rows() == [("038.9", "A41.9")]
    assert gem_combinations().rows() == [
        ("073.0", ["A70", "J17"]),
        ("073.0", ["A70", "J18"]),
    ]


def test_titles_of_a_combination_are_joined(hand_made):
    table = read_wordings(["icd9cm"], ["icd10_combination"], {})
    assert table.select("code", "wording", "source").row(0) == (
        "073.0",
        "Chlamydia psittaci infections and Pneumonia in diseases classified elsewhere",
        "icd10_combination",
    )


def test_only_the_wanted_sources_speak():
    wanted = ["icd9_title", "icd9_combination", "short_title"]
    table = read_wordings(["icd10cm", "icd10pcs"], wanted, {})
    assert set(table["source"]) == {"icd9_title", "icd9_combination"}
    back = table.filter(code="I50.9", source="icd9_title")["wording"].to_list()
    assert "Congestive heart failure, unspecified" in back
    assert set(PUBLIC) == {"icd9cm", "icd10cm", "icd10pcs"}


def test_sources_of_the_demo_are_all_public():
    """Protects the data class of prompts: nothing licensed or credentialed is on by default."""
    assert not {"umls", "d_icd", "index_term"} & set(demo_terminology.SOURCES)


def test_combinations_of_the_real_mapping_have_all_their_parts():
    pairs = gem_combinations()
    assert pairs["code"].n_unique() == 645
    assert pairs.select(pl.col("targets").list.len().unique().sort()).to_series().to_list() == [
        2,
        3,
    ]
