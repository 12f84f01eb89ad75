"""Folders for what only some may read: closed to other users, with a word on why."""

from pathlib import Path

from longtail_icd.common.files import write_text
from longtail_icd.generation.endpoints.licences import Licence

NOTICE = "RESTRICTED.txt"
_DATA = """Do not share this folder.

It holds text from or derived from patients' notes. Their licence: {licence}.
Only persons whom that licence or agreement covers may read it, on a machine that it allows
(MIMIC: PhysioNet's data use agreement). Do not upload, mail or commit anything of it.
"""
_KEY = """Do not give this folder to reviewers: it says which notes are real.
"""


def close_folder(folder: str | Path, licence: Licence) -> None:
    """Make a folder that its owner alone can enter, with the reason in ``RESTRICTED.txt``.

    Args:
        folder: made if it is not there; its mode becomes 0700.
        licence: of the corpus. What derives from a public one is closed to reviewers only.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    reason = _KEY if licence.public else _DATA.format(licence=licence.name) + "\n" + _KEY
    write_text(reason, folder / NOTICE)


def close_restricted(path: str | Path, licence: Licence) -> None:
    """Close the folder ``restricted`` that a path lies in, if it lies in one."""
    for folder in Path(path).parents:
        if folder.name == "restricted":
            close_folder(folder, licence)
