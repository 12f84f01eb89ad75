"""Companions of groups: hand-computed counts, agreement with plain counting, kept apart by kind."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.plan.group_cooccurrence import mine_group_cooccurrence

# code: version, kind, category, block, chapter
PLACES = {
    "250.0": ("icd9cm", "diagnosis", "250", "249-259", "240-279"),
    "250.1": ("icd9cm", "diagnosis", "250", "249-259", "240-279"),
    "253.5": ("icd9cm", "diagnosis", "253", "249-259", "240-279"),
    "038.9": ("icd9cm", "diagnosis", "038", "030-041", "001-139"),
    "B20": ("icd10cm", "diagnosis", "B20", "B20-B20", "1"),
    "B200ZZZ": ("icd10pcs", "procedure", "B20", "B2", "B"),
}


def taxonomy_of(*codes: str) -> pl.DataFrame:
    rows = [
        (version, code, kind, "", "", category, category, block, chapter, True)
        for code in codes
        for version, kind, category, block, chapter in [PLACES[code]]
    ]
    return pl.DataFrame(rows, schema=TABLES["terminology/codes"].columns, orient="row")


def labels_of(notes: dict[str, list[str]], **unknown: tuple[str, str]) -> pl.DataFrame:
    known = {code: place[:2] for code, place in PLACES.items()} | unknown
    rows = [
        (note, known[code][0], code, known[code][1], position)
        for note, codes in notes.items()
        for position, code in enumerate(codes, start=1)
    ]
    return pl.DataFrame(rows, schema=TABLES["corpus/labels"].columns, orient="row")


def group(table: pl.DataFrame, level: str, name: str) -> list[tuple]:
    return table.filter(level=level, group=name).select("code", "notes", "probability").rows()


NOTES = {
    "1": ["250.0", "250.1", "038.9"],
    "2": ["250.0", "038.9"],
    "3": ["253.5", "250.1"],
    "4": ["253.5"],
}


def test_hand_computed_counts():
    """A code of the group counts where another of the group stands beside it."""
    table = mine_group_cooccurrence(labels_of(NOTES), taxonomy_of(*PLACES))
    # 250 has notes 1, 2, 3; both its codes are in note 1.
    assert group(table, "category", "250") == [
        ("038.9", 2, pytest.approx(2 / 3)),
        ("250.0", 1, pytest.approx(1 / 3)),
        ("250.1", 1, pytest.approx(1 / 3)),
        ("253.5", 1, pytest.approx(1 / 3)),
    ]
    # Its block has all four notes; notes 1 and 3 have two of its codes.
    assert group(table, "block", "249-259") == [
        ("038.9", 2, 0.5),
        ("250.0", 1, 0.25),
        ("250.1", 2, 0.5),
        ("253.5", 1, 0.25),
    ]
    # 038 has one code: nothing of its own, only what stands beside it.
    assert group(table, "category", "038") == [("250.0", 2, 1.0), ("250.1", 1, 0.5)]


def test_groups_of_two_systems_with_one_name_stay_apart():
    """B20 is HIV disease in ICD-10-CM and imaging of the heart in ICD-10-PCS."""
    table = mine_group_cooccurrence(labels_of({"1": ["B20", "B200ZZZ"]}), taxonomy_of(*PLACES))
    rows = table.filter(level="category", group="B20").select("version", "kind", "code").rows()
    assert rows == [
        ("icd10cm", "diagnosis", "B200ZZZ"),
        ("icd10pcs", "procedure", "B20"),
    ]


def test_unknown_codes_stand_with_their_nearest_prefix_or_in_no_group():
    labels = labels_of(
        {"1": ["250.00", "038.9"], "2": ["999.9", "038.9"]},
        **{"250.00": ("icd9cm", "diagnosis"), "999.9": ("icd9cm", "diagnosis")},
    )
    table = mine_group_cooccurrence(labels, taxonomy_of("250.0", "038.9"))
    assert group(table, "category", "250") == [("038.9", 1, 1.0)]
    assert group(table, "category", "038") == [("250.00", 1, 0.5), ("999.9", 1, 0.5)]
    assert set(table["group"]) == {"250", "249-259", "240-279", "038", "030-041", "001-139"}


def test_no_labels_no_rows():
    table = mine_group_cooccurrence(empty_table("corpus/labels"), taxonomy_of(*PLACES))
    assert table.equals(empty_table("plan/group_cooccurrence"))


@given(
    st.dictionaries(
        st.sampled_from("123456789"),
        st.lists(st.sampled_from(sorted(PLACES)), min_size=1),
        min_size=1,
    ),
    st.randoms(use_true_random=False),
)
def test_agrees_with_plain_counting_whatever_the_row_order(notes, generator):
    """Levels in order, each sorted by group and code; repeated labels count once."""
    expected = []
    for level, at in (("category", 2), ("block", 3), ("chapter", 4)):
        groups = {
            (*PLACES[code][:2], PLACES[code][at]) for codes in notes.values() for code in codes
        }
        for version, kind, name in sorted(groups):
            members = {
                code
                for code, place in PLACES.items()
                if (*place[:2], place[at]) == (version, kind, name)
            }
            inside = [set(codes) for codes in notes.values() if members & set(codes)]
            for code in sorted(PLACES):
                count = sum(code in codes and bool(members & codes - {code}) for codes in inside)
                if count:
                    row = (version, kind, level, name, code, count, count / len(inside))
                    expected.append(row)
    labels = labels_of(notes)
    order = list(range(len(labels)))
    generator.shuffle(order)
    table = mine_group_cooccurrence(labels[order], taxonomy_of(*PLACES))
    assert table.schema == TABLES["plan/group_cooccurrence"].columns
    assert table.rows() == expected
