"""Excludes1 notes name nodes at the level that they state; what is unclear is left out, counted.

They reach ICD-9-CM over the mapping, where all counterparts of two codes exclude each other.
"""

import demo_terminology
import polars as pl
import pytest
from longtail_icd.common.tables import TABLES
from longtail_icd.terminology.excludes import extract_excludes, icd10cm_excludes, resolve_note
from longtail_icd.terminology.lookup import Ancestors
from longtail_icd.terminology.mapped_excludes import excluding_pairs, map_excludes

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
    assert excludes.height == 7_727


def test_nearly_every_note_is_resolved_and_the_rest_counted(counted):
    assert counted[1:] == (5_407, 189)


def test_a_known_pair_by_its_ancestors(excludes):
    """Type 1 diabetes E10.- is excluded at E11 and holds for what lies below either."""
    pairs = set(excludes.select("code", "excluded").iter_rows())
    ancestors = Ancestors(demo_terminology.taxonomy("icd10cm"), "icd10cm")
    left = ["E11.9", *ancestors.of("E11.9")]
    right = ["E10.65", *ancestors.of("E10.65")]
    assert any((a, b) in pairs for a in left for b in right)


def test_no_node_excludes_itself_or_a_node_above_or_below(excludes):
    """D72 names D72.824, M26-M27 names M27.8: taken literally, M27.8 would exclude itself."""
    ancestors = Ancestors(demo_terminology.taxonomy("icd10cm"), "icd10cm")
    for code, excluded in excludes.select("code", "excluded").iter_rows():
        assert code != excluded
        assert code not in ancestors.of(excluded)
        assert excluded not in ancestors.of(code)


TREE = pl.DataFrame(
    [("icd10cm", code, code[:3]) for code in ("E10.9", "E11.9", "E11.69", "E13.10", "E16.2")],
    schema=["version", "code", "parent"],
    orient="row",
)


def notes_of(*pairs: tuple[str, str]) -> pl.DataFrame:
    rows = [("icd10cm", *pair, f"not with {pair[1]}") for pair in pairs]
    return pl.DataFrame(rows, schema=TABLES["terminology/excludes"].columns, orient="row")


def test_pairs_of_codes_lie_at_or_below_the_nodes_both_ways_round():
    pairs = excluding_pairs(
        notes_of(("E11", "E10.9")),
        pl.Series(["E10.9", "E11.9", "E11.69", "E16.2"]),
        Ancestors(TREE, "icd10cm"),
    )
    assert set(pairs.select("a", "b").rows()) == {
        ("E11.9", "E10.9"),
        ("E11.69", "E10.9"),
        ("E10.9", "E11.9"),
        ("E10.9", "E11.69"),
    }


@pytest.mark.parametrize(
    ("notes", "mapped"),
    [
        # 250.10 may be E13.10, which nothing says E10 excludes: no pair with it.
        ([("E11", "E10")], [("250.00", "250.01")]),
        # Said of all counterparts, from either side.
        ([("E11", "E10"), ("E10", "E13")], [("250.00", "250.01"), ("250.01", "250.10")]),
        # 250.00 and 251.2 have a counterpart in common, which excludes nothing.
        ([("E11", "E16")], []),
    ],
)
def test_notes_are_carried_over_where_all_counterparts_exclude_each_other(notes, mapped):
    counterparts = {
        "250.00": ["E11.9"],
        "250.01": ["E10.9"],
        "250.10": ["E11.69", "E13.10"],
        "251.2": ["E16.2", "E11.9"],
    }
    rows = [(code, target) for code, targets in counterparts.items() for target in targets]
    table = map_excludes(
        notes_of(*notes),
        pl.DataFrame(rows, schema=["code", "target"], orient="row"),
        Ancestors(TREE, "icd10cm"),
    )
    assert table.schema == TABLES["terminology/excludes"].columns
    assert table.select("code", "excluded").rows() == mapped
    assert table["note"].str.starts_with("carried over from ICD-10-CM: not with E1").all()


@pytest.fixture(scope="module")
def carried_over():
    return extract_excludes(["icd9cm"])


def test_icd9cm_has_pairs_of_its_own_codes_each_once(carried_over):
    codes = demo_terminology.taxonomy("icd9cm")
    assert carried_over.height == 142_539
    assert (carried_over["code"] < carried_over["excluded"]).all()
    assert not carried_over.select("code", "excluded").is_duplicated().any()
    for side in ("code", "excluded"):
        named = carried_over.select("version", code=side)
        assert named.join(codes, on=["version", "code"], how="anti").is_empty()


def test_known_pairs_of_icd9cm(carried_over):
    """Type 1 and type 2 diabetes; a live birth's outcome codes stand with a delivery."""
    pairs = set(carried_over.select("code", "excluded").iter_rows())
    assert ("250.00", "250.01") in pairs
    assert ("650", "V27.0") not in pairs


def test_procedures_have_no_notes(capsys):
    table = extract_excludes(["icd10pcs"])
    assert table.is_empty()
    assert table.schema == TABLES["terminology/excludes"].columns
    assert "7727 pairs of nodes" in capsys.readouterr().out
