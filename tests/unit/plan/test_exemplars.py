"""The notes a prompt may show."""

import polars as pl
from longtail_icd.common.tables import TABLES
from longtail_icd.plan.exemplars import select_exemplars

CODE_SETS = pl.DataFrame(
    [
        ("b", "038.9", ["038.9", "401.9"], "clone", "17", False),
        ("a", "038.9", ["038.9"], "alone", None, False),
    ],
    schema=TABLES["plan/code_sets"].columns,
    orient="row",
)


def test_source_gives_the_cloned_note_and_nothing_where_there_is_none():
    exemplars = select_exemplars(CODE_SETS, "source")
    assert exemplars.rows() == [("b", ["17"]), ("a", [])]
    assert exemplars.schema == pl.Schema(TABLES["plan/exemplars"].columns)


def test_none_gives_empty_lists():
    exemplars = select_exemplars(CODE_SETS, "none")
    assert exemplars.rows() == [("b", []), ("a", [])]
    assert exemplars.schema == pl.Schema(TABLES["plan/exemplars"].columns)
