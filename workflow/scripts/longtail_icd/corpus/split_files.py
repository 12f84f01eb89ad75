"""Which files list a split. Imports nothing heavy: the rules ask while the jobs are planned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longtail_icd.common.errors import UserError
from longtail_icd.corpus.raw_files import find_ids

DOWNLOADS = "resources/splits"  # where the rule fetch_split puts them, each in its own folder
TABLE_ENDINGS = (".parquet", ".feather", ".arrow", ".csv")


def downloaded(name: str | None) -> str:
    """Return the folder of a published split: what `snakemake fetch_split` makes."""
    return f"{DOWNLOADS}/{name}"


def find_split_files(folder: str | Path) -> dict[str, Path]:
    """Return the files that list a split, by input name.

    Args:
        folder: one table of ids and splits (``{"table": path}``), a folder that holds nothing
            but one, or a folder with ``{split}_*hadm_ids.csv`` (``{"train": path, …}``).

    Raises:
        UserError: no such file or folder, or it holds neither form, or more than one.
    """
    path = Path(folder)
    if path.is_file():
        return {"table": path}
    if not path.is_dir():
        raise UserError(f"corpus.split.ids: {folder}: no such file or folder")
    tables = [one for one in path.iterdir() if one.suffix in TABLE_ENDINGS]
    if len(tables) == 1 and not tables[0].name.endswith("hadm_ids.csv"):
        return {"table": tables[0]}
    return find_ids(folder)


def official_files(split: Mapping[str, Any]) -> dict[str, Path]:
    """Return the files that list the configured official split; none where the source has its own.

    Args:
        split: the block ``corpus.split`` of the configuration.

    Raises:
        UserError: see :func:`find_split_files`; a published split that was not downloaded.
    """
    if split["method"] != "official":
        return {}
    if split["ids"] is not None:
        return find_split_files(split["ids"])
    name = split["download"]["split"]
    if name is None:
        return {}
    if not Path(downloaded(name)).is_dir():
        raise UserError(
            f"corpus.split.download: {name} is not here yet; get it with `snakemake fetch_split` "
            "and the same configuration, or name id files of yours in corpus.split.ids"
        )
    return find_split_files(downloaded(name))
