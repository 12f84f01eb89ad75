"""Published splits are read as Mullenbach, Edin and Nguyen wrote them down."""

import polars as pl
import pytest
from longtail_icd.corpus.split import assign_splits
from longtail_icd.corpus.split_files import find_split_files, official_files
from longtail_icd.corpus.split_ids import read_ids

EXPECTED = {"100": "train", "101": "train", "102": "dev", "103": "test"}


def _lists(folder, name):
    """Write id files as Mullenbach and Nguyen do: one id a line, no header."""
    for split in ("train", "dev", "test"):
        ids = [note for note, of_note in EXPECTED.items() if of_note == split]
        (folder / f"{split}_{name}_hadm_ids.csv").write_text("".join(f"{one}\n" for one in ids))


def _edin(folder, ending, column="_id", dev="val"):
    """Write one table as Edin et al. do: numbers in _id, and the dev split called val."""
    table = pl.DataFrame(
        {
            column: [int(note) for note in EXPECTED],
            "split": [{"dev": dev}.get(one, one) for one in EXPECTED.values()],
        }
    )
    path = folder / f"splits{ending}"
    if ending == ".parquet":
        table.write_parquet(path)
    elif ending == ".csv":
        table.write_csv(path)
    else:
        table.to_pandas().to_feather(path)
    return path


@pytest.mark.parametrize("name", ["full", "50"])
def test_mullenbach_and_nguyen_one_list_per_split(tmp_path, name):
    _lists(tmp_path, name)
    assert dict(read_ids(find_split_files(tmp_path)).rows()) == EXPECTED


@pytest.mark.parametrize("ending", [".feather", ".parquet", ".csv"])
def test_edin_one_table_of_ids_and_splits(tmp_path, ending):
    path = _edin(tmp_path, ending)
    for place in (path, tmp_path):  # the file, or the folder that holds it
        assert dict(read_ids(find_split_files(place)).rows()) == EXPECTED


@pytest.mark.parametrize(("column", "dev"), [("hadm_id", "dev"), ("note_id", "validation")])
def test_tables_with_other_column_and_split_names(tmp_path, column, dev):
    assert dict(read_ids({"table": _edin(tmp_path, ".csv", column, dev)}).rows()) == EXPECTED


def test_ids_that_went_through_floats(tmp_path):
    """pandas makes floats of HADM_ID; 29000000.0 is the admission 29000000."""
    table = pl.DataFrame({"_ID": [29000000.0], "Split": ["Train"]})
    table.write_parquet(tmp_path / "x.parquet")
    assert read_ids({"table": tmp_path / "x.parquet"}).rows() == [("29000000", "train")]


def test_an_id_that_ends_in_point_zero_and_is_no_number_stays(tmp_path):
    pl.DataFrame({"note_id": ["S1.0"], "split": ["dev"]}).write_csv(tmp_path / "x.csv")
    assert read_ids({"table": tmp_path / "x.csv"})["note_id"].to_list() == ["S1.0"]


def test_an_empty_id_file_is_an_empty_table(tmp_path):
    (tmp_path / "ids.csv").write_text("\n")
    assert read_ids({"train": tmp_path / "ids.csv"}).height == 0


def _corpus(ids):
    return pl.DataFrame(
        {"note_id": ids, "patient_id": ids, "official_split": [None] * len(ids)},
        schema_overrides={"official_split": pl.String},
    )


def test_the_lists_decide_and_strangers_up_to_1_percent_are_counted(tmp_path, capsys):
    known = [str(number) for number in range(200)]
    content = {"train": ["hadm_id", *known[2:], "9999"], "dev": ["0.0"], "test": ["1", ""]}
    for split, lines in content.items():
        (tmp_path / f"{split}_full_hadm_ids.csv").write_text("\n".join(lines))
    notes = _corpus([*known, "unlisted"])
    assigned = assign_splits(notes, "official", 0, 0, 1, find_split_files(tmp_path))
    assert assigned["note_id"].to_list() == known
    assert assigned["split"].to_list() == ["dev", "test", *["train"] * 198]
    printed = capsys.readouterr().out
    assert "ids without a document in this corpus: 1 of 201" in printed
    assert "documents that no id file lists, dropped: 1" in printed


def test_where_the_files_of_an_official_split_are(tmp_path, monkeypatch):
    """By path, or where `snakemake fetch_split` puts them; other methods need none."""
    monkeypatch.chdir(tmp_path)
    split = {"method": "official", "ids": None, "download": {"split": None, "sha256": {}}}
    assert official_files(split) == {}
    fetched = tmp_path / "resources/splits/mullenbach_mimic3_full"
    fetched.mkdir(parents=True)
    _lists(fetched, "full")
    split["download"]["split"] = "mullenbach_mimic3_full"
    assert set(official_files(split)) == {"train", "dev", "test"}
    assert official_files({**split, "method": "patient"}) == {}
    own = _edin(tmp_path, ".csv")
    assert official_files({**split, "ids": str(own)}) == {"table": own}
