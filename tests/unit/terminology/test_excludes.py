"""Excludes1 notes name nodes at the level that they state; what is unclear is left out, counted."""

import demo_terminology
import pytest
from longtail_icd.common.tables import TABLES
from longtail_icd.terminology.excludes import extract_excludes, icd10cm_excludes, resolve_note
from longtail_icd.terminology.lookup import Ancestors

NAMES = (
    "B15 B16 B17 B18 B19 B17.1 E71 E71.0 E71.1 E71.11 E71.2 N48.1 N48.2 T86.3 T86.31 Q68.0 O24 "
    "C91 E08 E13 K50.014 K50.114"
)
CODES = sorted(NAMES.split())


@pytest.mark.parametrize(
    ("note", "nodes"),
    [
        ("viral hepatitis (B15-B19)", ["B15", "B16", "B17", "B18", "B19"]),
        ("heart-lung transplant (T86.3-)", ["T86.3"]),
        ("metabolism (E71.0-E71.2)", ["E71.0", "E71.1", "E71.2"]),
        ("inflammation (acute) of penis (N48.1, N48.2-)", ["N48.1", "N48.2"]),
        ("diabetes mellitus in pregnancy (O24.-)", ["O24"]),
        ("Crohn's disease (K50.014, K50.114,)", ["K50.014", "K50.114"]),
        ("congenital torticollis Q68.0", ["Q68.0"]),
        ("syndromes classified to B15-B16", ["B15", "B16"]),
        ("this and that (B15 and B17.1)", ["B15", "B17.1"]),
        # conditions on the codes, mixed levels, unknown codes, words alone
        ("diabetes mellitus (E08-E13 with .42)", []),
        ("aphasia (C91. with final characters -20)", []),
        ("mixed levels (B15-B17.1)", []),
        ("unknown (Z99)", []),
        ("unknown among known (B15, Z99)", []),
        ("leukemia C91 with 5th character 1", []),
        ("current injury - see injury of joint by body region", []),
        ("disorders of:", []),
    ],
)
def test_notes_by_hand(note, nodes):
    assert resolve_note(note, CODES) == nodes


@pytest.fixture(scope="module")
def counted():
    return icd10cm_excludes()


@pytest.fixture(scope="module")
def excludes(counted):
    return counted[0]


def test_both_sides_are_nodes_of_the_taxonomy(excludes):
    codes = demo_terminology.taxonomy("icd10cm")
    assert excludes.schema == TABLES["terminology/excludes"].columns
    assert excludes.join(codes, on=["version", "code"], how="anti").is_empty()
    excluded = codes.select("version", excluded="code")
    assert excludes.join(excluded, on=["version", "excluded"], how="anti").is_empty()
    assert (excludes["note"].str.len_chars() > 0).all()
    assert excludes.height == 7_729


def test_nearly_every_note_is_resolved_and_the_rest_counted(counted):
    assert counted[1:] == (5_407, 187)


def test_a_known_pair_by_its_ancestors(excludes):
    """Type 1 diabetes E10.- is excluded at E11 and holds for what lies below either."""
    pairs = set(excludes.select("code", "excluded").iter_rows())
    ancestors = Ancestors(demo_terminology.taxonomy("icd10cm"), "icd10cm")
    left = ["E11.9", *ancestors.of("E11.9")]
    right = ["E10.65", *ancestors.of("E10.65")]
    assert any((a, b) in pairs for a in left for b in right)


def test_other_systems_have_an_empty_table_of_the_same_columns(capsys):
    table = extract_excludes(["icd9cm"])
    assert table.is_empty()
    assert table.schema == TABLES["terminology/excludes"].columns
    assert "the table is empty" in capsys.readouterr().out
