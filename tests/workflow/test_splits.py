"""Published splits in the workflow: by path, or downloaded when a user asks for it by name."""

import polars as pl

SPLITS = ("train", "dev", "test")


def _split(options):
    return ("--config", f"corpus={{split: {{method: official, {options}}}}}")


def test_a_split_is_downloaded_by_name_and_never_on_the_way(finished):
    options = _split("download: {split: edin_mimic3_full}")
    output = finished.snakemake("corpus", "--dry-run", *options, check=False)
    assert "edin_mimic3_full is not here yet; get it with `snakemake fetch_split`" in output
    assert "rule fetch_split" not in output
    output = finished.snakemake("fetch_split", "--dry-run", *options)
    assert "rule fetch_split" in output and "rule split_corpus" not in output
    assert "resources/splits/edin_mimic3_full" in output


def test_a_table_of_ids_gives_back_the_split_it_was_made_from(changeable):
    """Whatever the order of its rows: every table of every split has the same bytes."""
    paths = [changeable.result(f"corpus/notes/{split}.parquet") for split in SPLITS]
    paths += [changeable.result(f"corpus/labels/{split}.parquet") for split in SPLITS]
    before = [path.read_bytes() for path in paths]
    ids = pl.concat(
        pl.read_parquet(path).select(hadm_id="note_id", split=pl.lit(split))
        for split, path in zip(SPLITS, paths, strict=False)
    )
    ids.sample(fraction=1, shuffle=True, seed=1).write_csv(changeable.folder / "ids.csv")
    output = changeable.snakemake("corpus", *_split("ids: ids.csv"))
    assert "rule split_corpus" in output and "rule prepare_corpus" not in output
    assert [path.read_bytes() for path in paths] == before
