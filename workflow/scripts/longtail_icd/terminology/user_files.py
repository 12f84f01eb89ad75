"""Which files of the user's the terminology reads. Imports nothing heavy: the rules ask early."""

from collections.abc import Iterator
from pathlib import Path

from longtail_icd.common.errors import UserError

D_ICD = {"diagnoses": "D_ICD_DIAGNOSES", "procedures": "D_ICD_PROCEDURES"}


def _places(folder: str | Path, name: str) -> Iterator[Path]:
    for inner in (Path(folder), Path(folder) / "hosp"):
        for written in (name, name.lower()):
            for ending in (".csv.gz", ".csv"):
                yield inner / f"{written}{ending}"


def find_d_icd(folder: str | Path) -> dict[str, Path]:
    """Return MIMIC's tables of code titles by name, as MIMIC-III or MIMIC-IV lays them out.

    Raises:
        UserError: one is missing.
    """
    found = {}
    for kind, name in D_ICD.items():
        path = next((path for path in _places(folder, name) if path.is_file()), None)
        if path is None:
            raise UserError(
                f"terminology.d_icd: {folder}: no {name}.csv.gz or {name}.csv, neither there nor "
                "in its folder hosp; name the folder of MIMIC's tables, or null"
            )
        found[f"d_icd_{kind}"] = path
    return found
