"""A recipe's notes as a dataset in a folder of this machine.

From the project's root, with ``PYTHONPATH=workflow/scripts``:
``python -m longtail_icd.generation.endpoints.save_dataset --recipe paper --to ./notes``.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_folder, read_json, write_text
from longtail_icd.generation.data_class import highest
from longtail_icd.generation.endpoints.dataset_card import TABLES, dataset_card
from longtail_icd.generation.endpoints.export import check_export
from longtail_icd.generation.endpoints.licences import corpus_licence


def save_dataset(results: str | Path, recipe: str, target: str, config: dict[str, Any]) -> None:
    """Write a recipe's notes and labels with a dataset card to a new folder.

    Args:
        results: folder of the corpus' results, ``results/{corpus}``.
        recipe: whose notes.
        target: the folder; made, and for its owner alone where the corpus is restricted.
        config: the configuration that the notes were made with.

    Raises:
        UserError: the export is refused, the target exists, or the notes have not been made.
    """
    source = Path(results) / "generation" / recipe
    manifest = read_json(source / "manifest.json")
    licence = corpus_licence(config["corpus"])
    classes = [row["data_class"] for row in manifest["data_classes"]]
    # How many notes a code has tells how often it is in the corpus.
    check_export(target, highest(["aggregate", *classes]), licence.public)
    folder = Path(target).expanduser()
    if folder.exists():
        raise UserError(f"export to {target}: it exists; name a new folder")
    with atomic_folder(folder) as temporary:
        temporary.chmod(0o755 if licence.public else 0o700)
        for table in TABLES:
            shutil.copyfile(source / f"{table}.parquet", temporary / f"{table}.parquet")
        write_text(dataset_card(config, recipe, manifest), temporary / "README.md")


def main() -> None:
    """Read the command line; a :class:`UserError` is one line."""
    parser = argparse.ArgumentParser(description="Write a recipe's notes as a dataset.")
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--to", required=True, metavar="FOLDER", help="a new local folder")
    parser.add_argument("--configfile", nargs="*", default=[], help="overlays, as for Snakemake")
    arguments = parser.parse_args()
    config: dict[str, Any] = {}
    for path in ["config/config.yaml", *arguments.configfile]:
        update_config(config, load_configfile(path))
    results = Path("results") / config["corpus"]["name"]
    try:
        save_dataset(results, arguments.recipe, arguments.to, config)
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
