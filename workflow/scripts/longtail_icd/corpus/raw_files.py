"""Which raw files an adapter reads. Imports nothing heavy: the rules ask while they are parsed."""

from collections.abc import Iterable
from pathlib import Path

from longtail_icd.common.errors import UserError

# As in common.tables, which loads polars.
SPLITS = ("train", "dev", "test")
CODE_TABLES = {"diagnosis": "DIAGNOSES_ICD", "procedure": "PROCEDURES_ICD"}
MIMIC4_CODE_TABLES = {"diagnosis": "diagnoses_icd", "procedure": "procedures_icd"}
MIMIC4_MODULES = {"discharge": "note"}  # all other tables lie in hosp
CODIESP_TABLES = {"diagnosis": "D", "procedure": "P"}
CODIESP_TEXTS = {"en": "text_files_en", "es": "text_files"}


def _find(folders: Iterable[Path], name: str) -> Path | None:
    """Return the first ``NAME.csv.gz`` or ``NAME.csv`` in the folders."""
    paths = [folder / f"{name}{end}" for folder in folders for end in (".csv.gz", ".csv")]
    return next((path for path in paths if path.is_file()), None)


def find_table(folder: str | Path, name: str) -> Path:
    """Return ``NAME.csv.gz`` or ``NAME.csv`` in ``folder``: a table of MIMIC-III.

    Raises:
        UserError: there is neither.
    """
    path = _find([Path(folder)], name)
    if path is None:
        raise UserError(
            f"{folder}: no {name}.csv.gz or {name}.csv; corpus.path must hold the tables of "
            "MIMIC-III" + (" (without notes: corpus.notes: none)" if name == "NOTEEVENTS" else "")
        )
    return path


def mimic3_tables(kinds: Iterable[str], notes: str) -> list[str]:
    """Return the names of the MIMIC-III tables that a corpus of these kinds is made from."""
    texts = ["NOTEEVENTS"] if notes == "discharge" else []
    return [*texts, *(CODE_TABLES[kind] for kind in kinds), "ADMISSIONS", "PATIENTS"]


def find_mimic4_table(folder: str | Path, name: str) -> Path:
    """Return a table of MIMIC-IV: in ``hosp/`` or ``note/``, or in ``folder`` itself.

    Raises:
        UserError: it is in none of them.
    """
    module = MIMIC4_MODULES.get(name, "hosp")
    path = _find([Path(folder) / module, Path(folder)], name)
    if path is None:
        raise UserError(
            f"{folder}: no {module}/{name}.csv.gz or .csv; corpus.path must hold the folders hosp "
            "(of MIMIC-IV) and note (of MIMIC-IV-Note)"
            + (" (without notes: corpus.notes: none)" if module == "note" else "")
        )
    return path


def mimic4_tables(kinds: Iterable[str], notes: str) -> list[str]:
    """Return the names of the MIMIC-IV tables that a corpus of these kinds is made from."""
    texts = ["discharge"] if notes == "discharge" else []
    return [*texts, *(MIMIC4_CODE_TABLES[kind] for kind in kinds), "admissions", "patients"]


# By adapter: the tables that it reads, and where each is in a folder.
MIMIC_TABLES = {
    "mimic3": (mimic3_tables, find_table),
    "mimic4": (mimic4_tables, find_mimic4_table),
}


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
