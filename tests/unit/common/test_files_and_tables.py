"""Half-written files never appear under their name; a table that does not fit is refused."""

import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_path, read_json, write_json
from longtail_icd.common.tables import empty_table, read_table, write_batches, write_table


def test_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]


def test_json_round_trip_and_clear_errors(tmp_path):
    write_json({"b": 1, "a": "é"}, tmp_path / "x.json")
    assert read_json(tmp_path / "x.json") == {"a": "é", "b": 1}
    with pytest.raises(UserError, match="no such file"):
        read_json(tmp_path / "y.json")
    (tmp_path / "z.json").write_text('{"a": ')
    with pytest.raises(UserError, match="not valid JSON"):
        read_json(tmp_path / "z.json")


def test_table_round_trip_drops_extra_columns(tmp_path):
    frame = pl.DataFrame({"code": ["038.9"], "extra": [1], "n_synthetic": [3]})
    write_table(frame, tmp_path / "t.parquet", "plan/allocation")
    assert read_table(tmp_path / "t.parquet", "plan/allocation").to_dicts() == [
        {"code": "038.9", "n_synthetic": 3}
    ]


def test_batches_make_one_table_and_none_an_empty_one(tmp_path):
    batches = [pl.DataFrame({"n_synthetic": [n], "code": [f"{n}.1"]}) for n in (1, 2)]
    write_batches(iter(batches), tmp_path / "t.parquet", "plan/allocation")
    assert read_table(tmp_path / "t.parquet", "plan/allocation").rows() == [("1.1", 1), ("2.1", 2)]
    write_batches([], tmp_path / "t.parquet", "plan/allocation")
    assert read_table(tmp_path / "t.parquet", "plan/allocation").equals(
        empty_table("plan/allocation")
    )


def test_a_batch_that_does_not_fit_leaves_no_file(tmp_path):
    batches = [pl.DataFrame({"code": ["1.1"], "n_synthetic": [1]}), pl.DataFrame({"code": ["2.1"]})]
    with pytest.raises(UserError, match=r"n_synthetic is missing.*allocate_notes"):
        write_batches(batches, tmp_path / "t.parquet", "plan/allocation")
    assert list(tmp_path.iterdir()) == []


def test_wrong_table_names_file_column_and_rule(tmp_path):
    path = tmp_path / "t.parquet"
    with pytest.raises(UserError, match=r"n_synthetic is missing.*allocate_notes"):
        write_table(pl.DataFrame({"code": ["038.9"]}), path, "plan/allocation")
    with pytest.raises(UserError, match=r"n_synthetic holds String, not Int64"):
        frame = pl.DataFrame({"code": ["038.9"], "n_synthetic": ["3"]})
        write_table(frame, path, "plan/allocation")
    assert not path.exists()


def test_unreadable_table_is_one_clear_error(tmp_path):
    path = tmp_path / "t.parquet"
    with pytest.raises(UserError, match=r"no such file; rule allocate_notes"):
        read_table(path, "plan/allocation")
    write_table(empty_table("plan/allocation"), path, "plan/allocation")
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(UserError, match="not a readable Parquet file"):
        read_table(path, "plan/allocation")
