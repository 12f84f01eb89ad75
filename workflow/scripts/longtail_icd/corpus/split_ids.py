"""Splits as published: lists of admissions, one file per split or one table of all."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from longtail_icd.common.errors import UserError

# Column names in lower case, the first that a table has; Edin et al. write _id and split.
ID_COLUMNS = ("_id", "hadm_id", "note_id")
SPLIT_NAMES = {
    "train": "train",
    "dev": "dev",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "test": "test",
}
STRANGERS = 0.01  # the largest share of ids without a document that is no error
READERS = {
    ".parquet": pl.read_parquet,
    ".feather": pl.read_ipc,
    ".arrow": pl.read_ipc,
    ".csv": lambda path: pl.read_csv(path, infer_schema=False),
}


def _clean(ids: pl.Expr) -> pl.Expr:
    """Return ids as the notes have them. Before: ``100``, ``100.0``. After: ``"100"``."""
    return ids.cast(pl.String).str.strip_chars().str.replace(r"^(\d+)\.0$", "${1}")


def read_list(path: str | Path) -> pl.DataFrame:
    """Return note_id from a list of admission ids: one a line, no header, as Mullenbach's.

    A header ``hadm_id`` is passed over, as is a trailing ``.0``.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a list of ids in UTF-8") from None
    ids = pl.DataFrame({"note_id": lines}, schema={"note_id": pl.String})
    ids = ids.select(_clean(pl.col("note_id")))
    broken = ids.filter(pl.col("note_id").str.contains(r"[\s,;]")).height
    if broken:
        raise UserError(
            f"{path}: {broken} lines hold more than an id; a list has one id a line; a table of "
            "ids and splits goes to corpus.split.ids as a file, not as a folder"
        )
    header = pl.col("note_id").str.to_lowercase() == "hadm_id"
    return ids.filter(pl.col("note_id") != "", ~header)


def read_table_of_ids(path: str | Path) -> pl.DataFrame:
    """Return note_id, split from one table of both, as Edin et al. publish it.

    Parquet, Feather or CSV; the id is in ``_id``, ``hadm_id`` or ``note_id``, the split in
    ``split``: train, dev (or val, valid, validation) or test.

    Raises:
        UserError: not such a table, an id is missing, or a split has another name.
    """
    reader = READERS.get(Path(path).suffix)
    if reader is None:
        raise UserError(f"{path}: a table of ids is one of {', '.join(READERS)}")
    try:
        table = reader(path)
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(f"{path}: not a readable {Path(path).suffix} file") from None
    table = table.rename(str.lower)
    column = next((name for name in ID_COLUMNS if name in table.columns), None)
    if column is None or "split" not in table.columns:
        raise UserError(
            f"{path}: columns {' or '.join(ID_COLUMNS)}, and split, wanted; found "
            f"{', '.join(table.columns)}"
        )
    listed = table.select(note_id=_clean(pl.col(column)), split=pl.col("split").cast(pl.String))
    if listed["note_id"].null_count():
        raise UserError(f"{path}: {listed['note_id'].null_count()} rows have no id")
    names = listed["split"].str.strip_chars().str.to_lowercase()
    unknown = names.filter(~names.is_in(list(SPLIT_NAMES)) | names.is_null())
    if len(unknown):
        raise UserError(
            f"{path}: {len(unknown)} rows have a split other than {', '.join(SPLIT_NAMES)}"
        )
    return listed.with_columns(split=names.replace_strict(SPLIT_NAMES, return_dtype=pl.String))


def read_ids(paths: Mapping[str, str | Path]) -> pl.DataFrame:
    """Return note_id, split from the files that list a split.

    Args:
        paths: ``table``: one table of ids and splits; else a list of ids by the split's name.

    Raises:
        UserError: a file is none of that, or an id is listed twice.
    """
    if "table" in paths:
        listed = read_table_of_ids(paths["table"])
    else:
        listed = pl.concat(
            read_list(path).with_columns(split=pl.lit(split)) for split, path in paths.items()
        )
    twice = listed.filter(pl.col("note_id").is_duplicated()).height
    if twice:
        raise UserError(
            f"{Path(next(iter(paths.values()))).parent}: {twice} lines of the id files repeat an "
            "id; an admission belongs to one split: take the files of one published split"
        )
    return listed


def split_by_ids(notes: pl.DataFrame, paths: Mapping[str, str | Path]) -> pl.DataFrame:
    """Assign the notes that the id files list; prints how many ids and notes find no partner.

    Args:
        notes: note_id; their order does not matter.
        paths: see :func:`read_ids`.

    Returns:
        note_id, split; without the notes that no file lists.

    Raises:
        UserError: an id is listed twice, or over 1 % of the ids have no document.
    """
    listed = read_ids(paths)
    assigned = notes.join(listed, on="note_id", maintain_order="left").select("note_id", "split")
    strangers = listed.height - assigned.height
    print(f"ids without a document in this corpus: {strangers} of {listed.height}")
    print(f"documents that no id file lists, dropped: {notes.height - assigned.height}")
    if strangers > STRANGERS * listed.height:
        raise UserError(
            f"corpus.split.ids: {strangers} of {listed.height} listed ids "
            f"({strangers / listed.height:.1%}, over {STRANGERS:.0%}) have no document in this "
            "corpus: the id files are of another corpus or version, or the tables are incomplete"
        )
    return assigned
