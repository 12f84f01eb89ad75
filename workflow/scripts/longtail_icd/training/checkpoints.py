"""Checkpoints of a training run: resumed after a kill, by the very same run only."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import PreTrainedModel, Trainer
from transformers.trainer_utils import TrainOutput

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import read_json
from longtail_icd.training.termination import SaveOnTermination, on_termination

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
            shutil.rmtree(checkpoint, ignore_errors=True)  # another process may be at it
    return complete[-1] if complete else None


class CheckpointedTrainer(Trainer):
    """Trainer whose newest checkpoint is complete, or the one before it is still there."""

    def train(self, *args: Any, **kwargs: Any) -> TrainOutput:
        """Train; SIGTERM ends it with a checkpoint.

        Raises:
            UserError: the disk is full, the training was told to end.
        """
        termination = SaveOnTermination(self.accelerator)
        self.add_callback(termination)
        with on_termination(termination.note):
            return super().train(*args, **kwargs)

    def _save_rng_state(self, output_dir: str) -> None:
        """Wait for every process's state before the file is written that says: complete."""
        super()._save_rng_state(output_dir)
        self.accelerator.wait_for_everyone()

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Save a checkpoint; older ones go only when it is complete.

        The error's own words are shown: they come from the file system, not from a note.

        Raises:
            UserError: the disk is full, or the folder cannot be written.
        """
        try:
            super()._save_checkpoint(*args, **kwargs)
        except (OSError, RuntimeError, SafetensorError) as error:
            folder = Path(self.args.output_dir)
            failed = folder / f"checkpoint-{self.state.global_step}"
            shutil.rmtree(failed, ignore_errors=True)
            last = last_checkpoint(folder)
            kept = f"{last.name} is complete and will be resumed" if last else "none was before it"
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise UserError(
                f"{failed}: the checkpoint cannot be saved ({reason}); {kept}; free disk space "
                "and run again"
            ) from None


def check_label_space(folder: Path, labels: int) -> None:
    """Refuse weights that belong to another list of codes.

    Args:
        folder: a checkpoint or a model folder.
        labels: number of codes wanted.

    Raises:
        UserError: names both sizes.
    """
    found = read_json(folder / "config.json").get("labels")
    if found != labels:
        raise UserError(
            f"{folder}: a model of {found} codes, but the label space has {labels}; "
            "train again, or use the model with its own label list"
        )


def load_weights(model: PreTrainedModel, checkpoint: Path) -> None:
    """Put a checkpoint's weights into ``model``."""
    model.load_state_dict(load_file(checkpoint / "model.safetensors"))
