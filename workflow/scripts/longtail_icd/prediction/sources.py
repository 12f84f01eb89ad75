"""Which notes and which model the configuration names. Imports nothing heavy: the rules ask."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from longtail_icd.common.errors import UserError


def prediction_sources(
    settings: Mapping[str, Any], runs: Sequence[str], training: str
) -> dict[str, str]:
    """Return the notes to be coded and the folder of the model that codes them.

    Args:
        settings: the configuration's block ``prediction``.
        runs: of this configuration, as ``model/train_set/seedN``.
        training: folder of their models.

    Raises:
        UserError: no notes are named, or what is named is not there.
    """
    notes, model = settings["notes"], settings["model"]
    if notes is None:
        raise UserError(
            "configuration: prediction.notes: name the notes to be coded, a file or a folder of "
            ".txt files (docs/prediction.md)"
        )
    if not Path(notes).exists():
        raise UserError(f"configuration: prediction.notes: {notes}: no such file or folder")
    if model in runs:
        return {"notes": notes, "model": f"{training}/{model}/model"}
    if not Path(model).is_dir():
        raise UserError(
            f"configuration: prediction.model: {model}: no such folder, and no run of this "
            f"configuration; runs: {', '.join(runs)}"
        )
    return {"notes": notes, "model": model}
