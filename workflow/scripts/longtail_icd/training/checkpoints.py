"""Checkpoints of a training run: resumed after a kill, by the very same run only."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# The Trainer writes this file last: a checkpoint without it is half-written.
LAST_FILE = "trainer_state.json"


def fingerprint(settings: dict[str, Any], paths: Iterable[Path]) -> str:
    """Hash settings and contents: a checkpoint is only ever resumed into the same run.

    Args:
        settings: whatever decides the run besides its files; JSON values.
        paths: files, or folders with all files below them.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                with file.open("rb") as stream:
                    content = hashlib.file_digest(stream, "sha256").digest()
                digest.update(file.name.encode() + content)
    return digest.hexdigest()[:16]


def _is_complete(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / LAST_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return True


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint in ``folder``; half-written ones are removed."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    complete = []
    for checkpoint in found:
        if _is_complete(checkpoint):
            complete.append(checkpoint)
        else:
            shutil.rmtree(checkpoint)
    return complete[-1] if complete else None
