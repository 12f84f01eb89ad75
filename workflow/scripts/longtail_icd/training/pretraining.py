"""Continued pre-training: an encoder learns to fill in masked words of the corpus' own texts."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    PreTrainedTokenizerBase,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_folder
from longtail_icd.training.callbacks import Progress
from longtail_icd.training.checkpoints import CheckpointedTrainer, last_checkpoint

TEXTS = 256  # tokenised at a time


def read_documents(paths: Iterable[str | Path]) -> Iterator[str]:
    """Yield the texts of files, and of folders' ``.txt`` files at any depth; a file is a document.

    Raises:
        UserError: a file is missing, or no UTF-8; a folder holds no text.
    """
    for path in map(Path, paths):
        files = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
        if not files:
            raise UserError(f"encoder.pretraining.texts: {path}: no .txt file in this folder")
        for file in files:
            try:
                yield file.read_text(encoding="utf-8")
            except (FileNotFoundError, UnicodeDecodeError) as error:
                raise UserError(
                    f"encoder.pretraining.texts: {file}: no such file, or no UTF-8 text "
                    f"({type(error).__name__})"
                ) from None


class LossGuard(TrainerCallback):
    """Stops a pre-training that has diverged, before the epoch's checkpoint."""

    def on_log(self, args, state, control, logs=None, **kwargs):
        """Look at the epoch's mean loss.

        Raises:
            UserError: it is no number.
        """
        if not math.isfinite(logs.get("loss", 0.0)):
            raise UserError(
                f"encoder.pretraining: the loss is no number at step {state.global_step}; lower "
                "encoder.pretraining.learning_rate"
            )


class ChunkDataset(Dataset):
    """The chunks of texts, cut as a coder cuts its notes; all tokens in one array."""

    def __init__(self, texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, chunk: int):
        parts, sizes, texts = [], [], iter(texts)
        while batch := list(islice(texts, TEXTS)):
            encoded = tokenizer(batch, return_attention_mask=False, verbose=False)
            for ids in encoded["input_ids"]:
                parts.append(np.asarray(ids, dtype=np.int32))
                whole, rest = divmod(len(ids), chunk)
                sizes += [chunk] * whole + [rest] * (rest > 0)
        self.tokens = np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
        self.borders = np.cumsum([0, *sizes])

    def __len__(self) -> int:
        return len(self.borders) - 1

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        return {"input_ids": self.tokens[self.borders[index] : self.borders[index + 1]].tolist()}


def pretrain(
    encoder: Path,
    texts: Iterable[str],
    settings: dict[str, Any],
    chunk: int,
    seed: int,
    checkpoints: Path,
    folder: Path,
) -> list[float]:
    """Go on with an encoder's pre-training and write it to ``folder`` with its tokenizer.

    A head is put on the encoder whose output weights are its word embeddings; it is left behind.

    Args:
        encoder: a prepared encoder.
        texts: train notes and others; none of dev or test.
        settings: the block ``encoder.pretraining``: epochs, mask_share, learning_rate, batch_size.
        chunk: tokens the encoder sees at once.
        seed: of head, order, masks and dropout.
        checkpoints: folder of this very run; pre-training goes on from the last one in it.
        folder: where to; loadable by AutoTokenizer and AutoModel.

    Returns:
        The mean loss of each epoch.

    Raises:
        UserError: no text, a loss that is no number, a full disk.
    """
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    chunks = ChunkDataset(texts, tokenizer, chunk)
    if len(chunks) == 0:
        raise UserError("encoder.pretraining: no text to train on; check corpus.split")
    print(f"{len(chunks)} chunks, {len(chunks.tokens)} tokens")
    set_seed(seed)
    model = AutoModelForMaskedLM.from_pretrained(encoder)
    steps = math.ceil(len(chunks) / settings["batch_size"]) * settings["epochs"]
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=settings["epochs"],
        learning_rate=settings["learning_rate"],
        warmup_steps=math.ceil(0.1 * steps),
        per_device_train_batch_size=settings["batch_size"],
        use_cpu=not torch.cuda.is_available(),
        bf16=torch.cuda.is_available(),
        save_strategy="epoch",
        logging_strategy="epoch",
        logging_nan_inf_filter=False,
        save_total_limit=1,
        disable_tqdm=True,
        report_to="none",
        seed=seed,
        data_seed=seed,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)
    trainer = CheckpointedTrainer(
        model=model,
        args=arguments,
        train_dataset=chunks,
        data_collator=DataCollatorForLanguageModeling(
            tokenizer, mlm_probability=settings["mask_share"]
        ),
        callbacks=[Progress(), LossGuard()],
    )
    last = last_checkpoint(checkpoints)
    if last is not None:
        print(f"resuming from {last.name}")
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    with atomic_folder(folder) as temporary:
        tokenizer.save_pretrained(temporary)
        model.base_model.save_pretrained(temporary)
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
