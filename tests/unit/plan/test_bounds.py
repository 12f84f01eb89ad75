"""The table of ranges: whom it binds in the real classifications, and whom it leaves open."""

import demo_terminology
import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.plan.bounds import COLUMNS, classified_bounds, read_bounds

BOUNDS = demo_terminology.ROOT / "resources" / "demographic_bounds.csv"
SYSTEMS = ("icd9cm", "icd10cm", "icd10pcs")


@pytest.fixture(scope="module")
def codes() -> pl.DataFrame:
    return demo_terminology.taxonomy(*SYSTEMS).filter("is_leaf").select("version", "code", "kind")


@pytest.fixture(scope="module")
def bounds() -> pl.DataFrame:
    return read_bounds(BOUNDS)


def bound(bounds: pl.DataFrame, version: str, code: str, kind: str = "diagnosis") -> list[tuple]:
    space = pl.DataFrame({"version": [version], "code": [code], "kind": [kind]})
    return classified_bounds(space, bounds).select("sex", "age_low", "age_high").rows()


def test_no_code_lies_in_two_ranges_and_every_range_has_codes(codes, bounds):
    for version in SYSTEMS:
        found = classified_bounds(codes.filter(version=version), bounds)
        assert not found["code"].is_duplicated().any()
        assert found.height > 500
    for row in bounds.iter_rows():
        range_alone = pl.DataFrame([row], schema=bounds.schema, orient="row")
        assert classified_bounds(codes, range_alone).height, row


@pytest.mark.parametrize(
    ("version", "code", "kind", "expected"),
    [
        ("icd9cm", "650", "diagnosis", [("F", 9, 65)]),
        ("icd9cm", "V27.0", "diagnosis", [("F", 9, 65)]),
        ("icd9cm", "V30.00", "diagnosis", [(None, None, 1)]),
        ("icd9cm", "774.6", "diagnosis", [(None, None, 1)]),
        ("icd9cm", "600.01", "diagnosis", [("M", 15, None)]),
        ("icd9cm", "185", "diagnosis", [("M", None, None)]),
        ("icd9cm", "752.61", "diagnosis", [("M", None, None)]),
        ("icd9cm", "V85.41", "diagnosis", [(None, 20, None)]),
        ("icd9cm", "V85.54", "diagnosis", [(None, 2, 20)]),
        ("icd9cm", "68.49", "procedure", [("F", None, None)]),
        ("icd9cm", "72.1", "procedure", [("F", 9, 65)]),
        ("icd10cm", "O80", "diagnosis", [("F", 9, 65)]),
        ("icd10cm", "Z38.00", "diagnosis", [(None, None, 1)]),
        ("icd10cm", "C50.922", "diagnosis", [("M", None, None)]),
        ("icd10cm", "C50.912", "diagnosis", [("F", None, None)]),
        ("icd10pcs", "10E0XZZ", "procedure", [("F", 9, 65)]),
        ("icd10pcs", "0VT00ZZ", "procedure", [("M", None, None)]),
        # Chronic lung disease of the newborn stays for life; both breasts; both sexes.
        ("icd9cm", "770.7", "diagnosis", []),
        ("icd10cm", "P27.1", "diagnosis", []),
        ("icd9cm", "610.0", "diagnosis", []),
        ("icd9cm", "788.33", "diagnosis", []),
        ("icd9cm", "401.9", "diagnosis", []),
        # A procedure is not the diagnosis of the same digits, nor a heading what is in a range.
        ("icd9cm", "72.1", "diagnosis", []),
        ("icd9cm", "752", "diagnosis", []),
        # Codes that no list has any more go by their place.
        ("icd9cm", "665.99", "diagnosis", [("F", 9, 65)]),
    ],
)
def test_known_codes(bounds, version, code, kind, expected):
    assert bound(bounds, version, code, kind) == expected


def test_titles_that_name_the_other_sex_are_few_and_meant(codes, bounds):
    """Male organs are of men, female organs of women, all over three classifications."""
    titles = demo_terminology.taxonomy(*SYSTEMS).select("version", "code", "title")
    found = classified_bounds(codes, bounds).join(titles, on="code")
    male = r"(?i)\b(male|prostate|penis|testis|scrotum)\b"
    female = r"(?i)\b(female|ovary|uterus|vagina|pregnancy)\b"
    women = found.filter(pl.col("title").str.contains(male), sex="F")["title"].to_list()
    men = found.filter(pl.col("title").str.contains(female), sex="M")["title"].to_list()
    # Surgery of a male fetus in the womb; creation of the other sex's organs.
    assert {title for title in women if "Products of Conception" not in title} == {
        title for title in women if title.startswith("Creation of Penis in Female Perineum")
    }
    assert all(title.startswith("Creation of Vagina in Male Perineum") for title in men)
    assert women
    assert men


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("version,kind,first,last,sex,age_low,age_high,words\n", "column source is missing"),
        (
            ",".join(COLUMNS) + "\nicd9cm,diagnosis,650,650,female,,,x,ours\n",
            "only F, M or nothing",
        ),
        (",".join(COLUMNS) + "\nicd9cm,diagnosis,650,650,F,nine,,x,ours\n", "an age is no number"),
    ],
)
def test_a_broken_table_is_one_clear_error(tmp_path, content, message):
    path = tmp_path / "bounds.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        read_bounds(path)
    assert str(path) in str(error.value)


def test_a_missing_table_is_one_clear_error(tmp_path):
    with pytest.raises(UserError, match="belongs to the checkout"):
        read_bounds(tmp_path / "gone.csv")
