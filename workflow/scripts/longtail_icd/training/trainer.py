"""Training a coder with transformers' Trainer: our batches, our stops, resumable."""

import hashlib
import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from transformers import (
    EvalPrediction,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from longtail_icd.common.errors import UserError
from longtail_icd.training.batches import Collator, LengthGroupedSampler, TokenDataset
from longtail_icd.training.selection import best_micro_f1, mean_average_precision

SELECT_ON = {"map": "eval_map", "micro_f1": "eval_micro_f1"}


def fingerprint(settings: dict[str, Any], files: list[Path]) -> str:
    """Hash settings and file contents: a checkpoint is only ever resumed into the same run."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def dev_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """MAP and the best micro-F1 on dev; a model that predicts everything has collapsed."""
    logits, targets = prediction.predictions, prediction.label_ids
    if not np.isfinite(logits).all():
        raise UserError("training: dev logits are not finite; lower models.*.learning_rate")
    cut, micro_f1 = best_micro_f1(logits, targets)
    if (logits >= cut)[targets.astype(bool)].all() and micro_f1 < 0.5:
        print("warning: dev recall is 1.0 at the best threshold; the model has not learned yet")
    return {"map": mean_average_precision(logits, targets), "micro_f1": micro_f1}


class CoderTrainer(Trainer):
    """Trainer with length-grouped batches."""

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        dataset = train_dataset or self.train_dataset
        return LengthGroupedSampler(
            dataset.lengths, self.args.per_device_train_batch_size, self.args.seed
        )


class EpochClock(TrainerCallback):
    """Tells collator, sampler and model which epoch it is; prints progress; stops a broken run."""

    def __init__(self, collator: Collator, every_s: float = 10.0):
        self.collator = collator
        self.every_s = every_s
        self.last = time.monotonic()

    def on_epoch_begin(self, args, state, control, model=None, **kwargs):
        """Draw new guidelines; R-Drop starts with the second epoch, as published."""
        epoch = round(state.epoch or 0)
        self.collator.epoch = epoch
        if hasattr(model, "rdrop_active"):
            model.rdrop_active = epoch >= 1

    def on_step_end(self, args, state, control, **kwargs):
        """Print a line every few seconds."""
        if time.monotonic() - self.last >= self.every_s:
            self.last = time.monotonic()
            print(f"step {state.global_step}/{state.max_steps}, epoch {state.epoch:.2f}")

    def on_log(self, args, state, control, logs=None, **kwargs):
        """Stop on a loss that is no number."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            raise UserError(
                f"training: the loss is {loss} at step {state.global_step}; "
                "lower models.*.learning_rate or check precision"
            )


def history_table(log: list[dict[str, float]]) -> pl.DataFrame:
    """Turn the Trainer's log into the table training/history."""
    rows = [
        (float(entry["epoch"]), int(entry["step"]), metric, float(value))
        for entry in log
        for metric, value in entry.items()
        if metric
        in {"loss", "learning_rate", "grad_norm", "eval_loss", "eval_map", "eval_micro_f1"}
    ]
    schema = {"epoch": pl.Float64, "step": pl.Int64, "metric": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def train(
    model: PreTrainedModel,
    train_notes: TokenDataset,
    dev_notes: TokenDataset,
    collator: Collator,
    settings: dict[str, Any],
    seed: int,
    checkpoints: Path,
) -> pl.DataFrame:
    """Train ``model`` in place to its best epoch on dev and return its history.

    Args:
        model: the coder to train.
        train_notes: training notes with their weights.
        dev_notes: what the best epoch is chosen on.
        collator: makes batches.
        settings: the model's block of the configuration.
        seed: for order, dropout and guidelines.
        checkpoints: folder of this very run; training goes on from the last one in it.

    Raises:
        UserError: the loss or the logits are not finite.
    """
    set_seed(seed)
    steps = math.ceil(len(train_notes) / settings["batch_size"])
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=settings["epochs"],
        learning_rate=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
        warmup_steps=math.ceil(settings["warmup_ratio"] * steps * settings["epochs"]),
        lr_scheduler_type="linear",
        max_grad_norm=settings["gradient_clip"],
        per_device_train_batch_size=settings["batch_size"],
        per_device_eval_batch_size=settings["batch_size"],
        bf16=settings["precision"] == "bf16",
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=SELECT_ON[settings["select_on"]],
        greater_is_better=True,
        label_names=["targets"],
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
        seed=seed,
        data_seed=seed,
    )
    trainer = CoderTrainer(
        model=model,
        args=arguments,
        train_dataset=train_notes,
        eval_dataset=dev_notes,
        data_collator=collator,
        compute_metrics=dev_metrics,
        callbacks=[EpochClock(collator)],
    )
    last = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    if last:
        print(f"resuming from {Path(last).name}")
    trainer.train(resume_from_checkpoint=last)
    shutil.rmtree(checkpoints)
    return history_table(trainer.state.log_history)
