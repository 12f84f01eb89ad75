"""The label space in its four kinds, train frequencies, tier edges."""

import os
from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.plan.tiers import (
    TIERS,
    read_label_file,
    sibling_space,
    stratify,
    summary,
    taxonomy_space,
    train_space,
)

PAPER = {"head": 1000, "medium": 100, "tail": 10}


def labels_of(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Labels from (note, code, kind)."""
    return pl.DataFrame(
        [(note, "icd9cm", code, kind, 1) for note, code, kind in rows],
        schema=TABLES["corpus/labels"].columns,
        orient="row",
    )


def space_of(*codes: str, version: str = "icd9cm") -> pl.DataFrame:
    return pl.DataFrame(
        [(version, code, "diagnosis") for code in codes],
        schema=TABLES["corpus/codes"].columns,
        orient="row",
    )


def taxonomy_of(*rows: tuple[str, str, bool]) -> pl.DataFrame:
    """Nodes from (code, kind, is_leaf)."""
    frame = pl.DataFrame(
        [("icd9cm", code, kind, leaf) for code, kind, leaf in rows],
        schema=["version", "code", "kind", "is_leaf"],
        orient="row",
    )
    return pl.concat([empty_table("terminology/codes"), frame], how="diagonal")


@pytest.mark.parametrize(
    ("n", "tier"),
    [
        (1000, "head"),
        (999, "medium"),
        (100, "medium"),
        (99, "tail"),
        (10, "tail"),
        (9, "few_shot"),
        (1, "few_shot"),
    ],
)
def test_edges_belong_to_the_upper_tier(n, tier):
    labels = labels_of(*((str(note), "038.9", "diagnosis") for note in range(n)))
    tiers = stratify(space_of("038.9"), labels, PAPER)
    assert tiers.select("n_train", "tier").rows() == [(n, tier)]


def test_counts_notes_sorts_by_code_and_keeps_unseen_codes():
    """A label repeated in a note counts once; a label outside the space does not come in."""
    labels = labels_of(
        ("1", "401.9", "diagnosis"),
        ("1", "401.9", "diagnosis"),
        ("2", "401.9", "diagnosis"),
        ("2", "250.00", "diagnosis"),
    )
    tiers = stratify(space_of("V45.81", "401.9", "038.9"), labels, PAPER)
    assert tiers.select("code", "n_train", "tier").rows() == [
        ("038.9", 0, "zero_shot"),
        ("401.9", 2, "few_shot"),
        ("V45.81", 0, "zero_shot"),
    ]
    assert tiers.schema == pl.Schema(TABLES["plan/tiers"].columns)
    assert summary(tiers).endswith("head 0, medium 0, tail 0, few_shot 1, zero_shot 2")


def test_train_and_taxonomy_spaces():
    """Taxonomy: leaves of the configured kinds, and train codes whether leaves or not."""
    labels = labels_of(("1", "585", "diagnosis"), ("2", "585", "diagnosis"))
    taxonomy = taxonomy_of(
        ("585", "diagnosis", False), ("585.1", "diagnosis", True), ("38.93", "procedure", True)
    )
    assert train_space(labels)["code"].to_list() == ["585"]
    space = taxonomy_space(labels, taxonomy, ["diagnosis"])
    assert sorted(space["code"]) == ["585", "585.1"]
    both = taxonomy_space(labels, taxonomy, ["diagnosis", "procedure"])
    assert sorted(both["code"]) == ["38.93", "585", "585.1"]


def test_siblings_of_train_codes_are_found_on_every_level_of_the_classification():
    """A00 is a train code of its own: its siblings are categories, and the block is no code."""
    nodes = [
        ("A00-A09", "1", None),
        ("A00", "A00-A09", "A00"),
        ("A00.0", "A00", "A00"),
        ("A00.9", "A00", "A00"),
        ("A01", "A00-A09", "A01"),
        ("A01.0", "A01", "A01"),
    ]
    frame = pl.DataFrame(nodes, schema=["code", "parent", "category"], orient="row").with_columns(
        version=pl.lit("icd9cm"), kind=pl.lit("diagnosis")
    )
    taxonomy = pl.concat([empty_table("terminology/codes"), frame], how="diagonal")

    def space(*codes):
        labels = labels_of(*(("1", code, "diagnosis") for code in codes))
        return sorted(sibling_space(labels, taxonomy)["code"])

    assert space("A00.0") == ["A00.0", "A00.9"]
    assert space("A00", "A00.0") == ["A00", "A00.0", "A00.9", "A01"]
    assert space("Z99") == ["Z99"]


def test_label_file_keeps_codes_as_strings(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("kind,code,version\nprocedure,01.17,icd9cm\ndiagnosis, 038.10,icd9cm\n")
    assert read_label_file(path).rows() == [
        ("icd9cm", "01.17", "procedure"),
        ("icd9cm", "038.10", "diagnosis"),
    ]


def test_two_code_systems_with_one_code_are_refused():
    space = pl.concat([space_of("038.9"), space_of("038.9", version="icd10cm")])
    with pytest.raises(UserError, match=r"more than one code system.*038\.9"):
        stratify(space, labels_of(("1", "038.9", "diagnosis")), PAPER)


def test_tiers_of_mimic3():
    """The published train frequencies give the paper's tiers: 144/877/2,472/5,199/237."""
    folder = os.environ.get("LONGTAIL_ICD_TEST_DATA")
    if folder is None:
        pytest.skip("LONGTAIL_ICD_TEST_DATA is not set")
    frequencies = pl.read_csv(Path(folder) / "mimic3_code_frequencies.csv")
    codes = frequencies.select(pl.col("n_train").repeat_by("codes").explode()).with_row_index()
    codes = codes.with_columns(code=pl.col("index").cast(pl.String))
    # Note ids may repeat across codes: a code's frequency is all that counts here.
    labels = codes.select(
        note_id=pl.int_ranges("n_train").cast(pl.List(pl.String)),
        version=pl.lit("icd9cm"),
        code="code",
        kind=pl.lit("diagnosis"),
        position=pl.lit(1, pl.Int32),
    ).explode("note_id")
    tiers = stratify(space_of(*codes["code"]), labels.drop_nulls("note_id"), PAPER)
    counts = dict(tiers["tier"].value_counts().iter_rows())
    assert [counts[tier] for tier in TIERS] == [144, 877, 2472, 5199, 237]
