"""The manifest of a corpus: from which bytes it was made and what became of every row."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from longtail_icd.common.tables import KINDS
from longtail_icd.corpus.prepared import Prepared


def describe_file(path: Path) -> dict[str, Any]:
    """Return size in bytes and SHA-256 of a file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def describe_folder(path: Path) -> dict[str, Any]:
    """Return a folder's number of files, their bytes, and one SHA-256 over names and contents."""
    digest, size = hashlib.sha256(), 0
    files = sorted(one for one in path.iterdir() if one.is_file())
    for one in files:
        figures = describe_file(one)
        size += figures["bytes"]
        digest.update(f"{figures['sha256']}  {one.name}\n".encode())
    return {"files": len(files), "bytes": size, "sha256": digest.hexdigest()}


def build_manifest(
    prepared: Prepared, files: Mapping[str, str | Path], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the manifest: counts and checksums, never a text or a path of this machine.

    Args:
        prepared: the corpus.
        files: the raw files and folders, by the rule's name for them.
        settings: the configuration values that chose what was read.
    """
    described = {}
    for name, file in files.items():
        path = Path(file)
        figures = describe_folder(path) if path.is_dir() else describe_file(path)
        described[name] = {"name": path.name, **figures}
    codes = prepared.labels.unique(["version", "code"])
    return {
        "settings": dict(settings),
        "files": described,
        "rows": prepared.counts,
        "documents": prepared.notes.height,
        "patients": prepared.notes["patient_id"].n_unique(),
        "labels": prepared.labels.height,
        "codes": {kind: codes.filter(kind=kind).height for kind in KINDS},
    }


def complete_manifest(
    prepared: Mapping[str, Any],
    figures: Mapping[str, Any],
    published: str | None,
    comparison: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the manifest of the split corpus: how it was read, what it holds, what was published.

    Args:
        prepared: the manifest of the prepared corpus, see :func:`build_manifest`.
        figures: see :func:`longtail_icd.corpus.describe.describe`.
        published: name of the published corpus, if the configuration gives one.
        comparison: see :func:`longtail_icd.corpus.published.compare`.
    """
    whole = {key: prepared[key] for key in ("documents", "patients", "labels", "codes")}
    return {
        "settings": prepared["settings"],
        "files": prepared["files"],
        "rows": prepared["rows"],
        "addenda": prepared["rows"].get("note_addenda"),
        "prepared": whole,
        "documents_in_no_split": whole["documents"] - figures["documents"]["all"],
        "definition_of_words": "runs of characters between white space, in the text as prepared",
        **figures,
        "published": {"corpus": published, "figures": list(comparison)} if published else None,
    }
