"""Which raw files an adapter reads. Imports nothing heavy: the rules ask while they are parsed."""

from collections.abc import Iterable
from pathlib import Path

from longtail_icd.common.errors import UserError

# As in common.tables, which loads polars.
SPLITS = ("train", "dev", "test")
CODE_TABLES = {"diagnosis": "DIAGNOSES_ICD", "procedure": "PROCEDURES_ICD"}
CODIESP_TABLES = {"diagnosis": "D", "procedure": "P"}
CODIESP_TEXTS = {"en": "text_files_en", "es": "text_files"}


def find_table(folder: str | Path, name: str) -> Path:
    """Return ``NAME.csv.gz`` or ``NAME.csv`` in ``folder``.

    Raises:
        UserError: there is neither.
    """
    for ending in (".csv.gz", ".csv"):
        path = Path(folder) / f"{name}{ending}"
        if path.is_file():
            return path
    raise UserError(
        f"{folder}: no {name}.csv.gz or {name}.csv; corpus.path must hold the tables of MIMIC-III"
        + (" (without notes: corpus.notes: none)" if name == "NOTEEVENTS" else "")
    )


def mimic3_tables(kinds: Iterable[str], notes: str) -> list[str]:
    """Return the names of the MIMIC-III tables that a corpus of these kinds is made from."""
    texts = ["NOTEEVENTS"] if notes == "discharge" else []
    return [*texts, *(CODE_TABLES[kind] for kind in kinds), "ADMISSIONS", "PATIENTS"]


def codiesp_table(folder: str | Path, split: str, kind: str) -> Path:
    """Return the official table ``{split}/{split}D.tsv`` or ``P.tsv``."""
    return Path(folder) / split / f"{split}{CODIESP_TABLES[kind]}.tsv"


def codiesp_texts(folder: str | Path, split: str, language: str) -> Path:
    """Return the folder of a split's texts in one language."""
    return Path(folder) / split / CODIESP_TEXTS[language]


def codiesp_files(
    folder: str | Path, kinds: Iterable[str], notes: str, language: str
) -> dict[str, Path]:
    """Return the tables and text folders of the official layout, by a name.

    Raises:
        UserError: one of them is missing.
    """
    paths = {
        f"{split}_{kind}": codiesp_table(folder, split, kind) for kind in kinds for split in SPLITS
    }
    if notes == "discharge":
        paths |= {f"{split}_texts": codiesp_texts(folder, split, language) for split in SPLITS}
    for path in paths.values():
        if not path.exists():
            raise UserError(
                f"{path}: no such file or folder; corpus.path must hold CodiEsp in its official "
                "layout (docs/data.md)"
            )
    return paths


def find_ids(folder: str | Path) -> dict[str, Path]:
    """Return the id file of each split, ``{split}_*hadm_ids.csv``.

    Raises:
        UserError: a split has none, or more than one.
    """
    found = {}
    for split in SPLITS:
        paths = sorted(Path(folder).glob(f"{split}_*hadm_ids.csv"))
        if len(paths) != 1:
            names = ", ".join(path.name for path in paths) or "none"
            raise UserError(
                f"corpus.split.ids: {folder}: one file {split}_*hadm_ids.csv wanted, found "
                f"{names}; give each set of id files (full, 50) a folder of its own"
            )
        found[split] = paths[0]
    return found
