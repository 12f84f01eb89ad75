"""Models by name: a folder, or a model of a hub with the hash of a commit."""

from pathlib import Path

from longtail_icd.common.errors import UserError


def pinned_name(model: str, revision: str | None) -> str:
    """Return what requests call a model: the journal must tell its revisions apart.

    Before: ``org/model`` and ``3f1c…``. After: ``org/model@3f1c…``; a folder keeps its name.
    """
    return model if revision is None else f"{model}@{revision}"


def check_pinned(model: str, revision: str | None) -> None:
    """Require a revision of what is no folder.

    Raises:
        UserError: there is none.
    """
    if revision is None and not Path(model).is_dir():
        raise UserError(
            f"revision: {model} is no folder here, and a model of a hub needs the hash of a commit"
        )
