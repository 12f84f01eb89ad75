"""A code never loses a zero, never gets a wrong dot, and is the same however it was written."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.code_systems import icd9_titles, icd10_titles, icd10cm_tree
from longtail_icd.common.codes import category, code_systems, dotted, undotted, well_formed
from longtail_icd.common.errors import UserError

SYSTEMS = [
    ("icd9cm", "diagnosis", st.from_regex(r"[0-9]{3,5}|V[0-9]{2,4}|E[0-9]{3,4}", fullmatch=True)),
    ("icd9cm", "procedure", st.from_regex(r"[0-9]{2,4}", fullmatch=True)),
    ("icd10cm", "diagnosis", st.from_regex(r"[A-Z][0-9A-Z]{2,6}", fullmatch=True)),
    ("icd10pcs", "procedure", st.from_regex(r"[0-9A-HJ-NP-Z]{1,7}", fullmatch=True)),
]


def _apply(function, codes, version, kind):
    frame = pl.DataFrame({"code": codes}, schema={"code": pl.String})
    return frame.select(function(pl.col("code"), version, kind))["code"].to_list()


@pytest.mark.parametrize(
    ("version", "kind", "before", "after"),
    [
        ("icd9cm", "diagnosis", "0389", "038.9"),
        ("icd9cm", "diagnosis", "4019 ", "401.9"),
        ("icd9cm", "diagnosis", "585", "585"),
        ("icd9cm", "diagnosis", "v4581", "V45.81"),
        ("icd9cm", "diagnosis", "E8782", "E878.2"),
        ("icd9cm", "diagnosis", "E849", "E849"),
        ("icd9cm", "diagnosis", "E849.", "E849"),
        ("icd9cm", "procedure", "0117", "01.17"),
        ("icd9cm", "procedure", "117", "11.7"),
        ("icd9cm", "procedure", "3893", "38.93"),
        ("icd9cm", "procedure", "01", "01"),
        ("icd10cm", "diagnosis", " e119", "E11.9"),
        ("icd10cm", "diagnosis", "I10", "I10"),
        ("icd10cm", "diagnosis", "T8141XA", "T81.41XA"),
        ("icd10cm", "diagnosis", "QA00101", "QA0.0101"),
        ("icd10pcs", "procedure", "0dtj4zz", "0DTJ4ZZ"),
        ("icd10cm", "diagnosis", None, None),
    ],
)
def test_dots(version, kind, before, after):
    assert _apply(dotted, [before], version, kind) == [after]


@pytest.mark.parametrize(("version", "kind", "codes"), SYSTEMS)
@given(data=st.data())
def test_dotting_twice_changes_nothing_and_loses_no_character(version, kind, codes, data):
    drawn = data.draw(st.lists(codes, min_size=1, max_size=20))
    once = _apply(dotted, drawn, version, kind)
    assert _apply(dotted, once, version, kind) == once
    back = pl.DataFrame({"code": once}).select(undotted(pl.col("code")))["code"].to_list()
    assert back == drawn
    assert all(_apply(well_formed, once, version, kind))


def test_categories_stand_before_the_dot():
    assert _apply(category, ["038.9", "V45.81", "E878.2"], "icd9cm", "diagnosis") == [
        "038",
        "V45",
        "E878",
    ]
    assert _apply(category, ["38.93"], "icd9cm", "procedure") == ["38"]
    assert _apply(category, ["0DTJ4ZZ"], "icd10pcs", "procedure") == ["0DT"]


def test_malformed_codes_are_seen():
    codes = ["38.93", "0389", "nan", "038.9", None]
    assert _apply(well_formed, codes, "icd9cm", "diagnosis") == [False, False, False, True, None]


def test_a_code_system_without_such_codes_is_one_clear_error():
    with pytest.raises(UserError, match="icd10cm has no codes of kind procedure"):
        dotted(pl.col("code"), "icd10cm", "procedure")


def _official(version, kind):
    """Every code of a system as it is published: V32, the tabular list and FY2024, PCS."""
    if version == "icd9cm":
        return icd9_titles().filter(kind=kind)["code"]
    codes = icd10_titles(version)["code"]
    if version == "icd10cm":
        nodes = icd10cm_tree().drop_nulls("category")["code"]
        codes = pl.concat([codes, nodes]).unique().sort()
    return codes


@pytest.mark.parametrize(("version", "kind"), [system[:2] for system in SYSTEMS])
def test_dotting_and_undotting_are_inverse_on_every_official_code(version, kind):
    codes = _official(version, kind).to_frame()
    plain = codes.select(undotted(pl.col("code")))
    again = plain.select(dotted(pl.col("code"), version, kind))
    assert again["code"].equals(codes["code"])
    assert again.select(undotted(pl.col("code"))).equals(plain)
    assert plain["code"].n_unique() == codes["code"].n_unique()
    assert codes.select(well_formed(pl.col("code"), version, kind).all()).item()


@pytest.mark.parametrize(
    ("adapter", "edition", "systems"),
    [
        ("mimic3", None, ["icd9cm"]),
        ("codiesp", None, ["icd10cm", "icd10pcs"]),
        ("mimic4", "icd9", ["icd9cm"]),
        ("mimic4", "icd10", ["icd10cm", "icd10pcs"]),
        ("table", None, ["icd10cm", "icd10pcs", "icd9cm"]),
    ],
)
def test_the_code_systems_of_a_corpus(adapter, edition, systems):
    assert code_systems(adapter, edition) == systems
