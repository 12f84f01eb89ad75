"""What may leave this machine of notes and models."""

import re
from pathlib import Path

from longtail_icd.common.errors import UserError


def is_local_folder(target: str) -> bool:
    """Return whether a target is a folder of this machine and cannot be read as anything else.

    Before: ``./notes``, ``/data/notes``, ``~/notes`` or an existing folder: True. ``me/notes``
    (a hub id), ``hf://datasets/me/notes`` or ``host:notes``: False.
    """
    if re.match(r"[^/]*:|$", target):
        return False
    return target.startswith(("/", "./", "../", "~/")) or Path(target).is_dir()


def check_export(target: str, data_class: str, corpus_public: bool) -> None:
    """Let notes or models be written to a target.

    Args:
        target: a folder, a hub id or a URL.
        data_class: the highest class that they were made from; ``text`` for a trained model.
        corpus_public: the corpus' own licence lets anyone have what derives from it.

    Raises:
        UserError: they derive from a restricted corpus, and the target is no local folder.
    """
    if corpus_public or data_class == "public" or is_local_folder(target):
        return
    raise UserError(
        f"export to {target}: made from {data_class} data of a restricted corpus, so it may not be "
        "uploaded; name a local folder (./NAME), and share it where the corpus' own agreement "
        "says: for MIMIC as a project on PhysioNet (docs/privacy.md)"
    )
