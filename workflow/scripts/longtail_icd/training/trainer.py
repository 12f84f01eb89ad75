"""Training a coder with transformers' Trainer: our batches, our stops, resumable."""

import math
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

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.training.batches import Collator, LengthGroupedSampler, TokenDataset
from longtail_icd.training.checkpoints import last_checkpoint
from longtail_icd.training.selection import best_micro_f1, mean_average_precision

HISTORY = ("loss", "grad_norm", "learning_rate", "eval_loss", "eval_map", "eval_micro_f1")
SELECT_ON = {"map": "eval_map", "micro_f1": "eval_micro_f1"}


def dev_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """MAP, and micro-F1 and recall at the threshold that is best for micro-F1, on dev.

    Raises:
        UserError: a logit is not finite.
    """
    logits, targets = prediction.predictions, prediction.label_ids
    if not np.isfinite(logits).all():
        raise UserError("training: dev logits are not finite; lower models.*.learning_rate")
    cut, micro_f1 = best_micro_f1(logits, targets)
    recall = float((logits >= cut)[targets.astype(bool)].mean())
    ranking = mean_average_precision(logits, targets)
    return {"map": ranking, "micro_f1": micro_f1, "recall": recall}


class CoderTrainer(Trainer):
    """Trainer with length-grouped batches that stops on a loss that is no number."""

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        dataset = train_dataset or self.train_dataset
        return LengthGroupedSampler(
            dataset.lengths, self.args.per_device_train_batch_size, self.args.seed
        )

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Do one step; checked before the optimizer can spoil the weights."""
        loss = super().training_step(*args, **kwargs)
        if not torch.isfinite(loss):
            raise UserError(
                f"training: the loss is {loss.item()} at step {self.state.global_step + 1}; "
                "lower models.*.learning_rate or check precision"
            )
        return loss


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

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        """Stop when the best that a threshold can do is to predict everything: a collapse.

        Recall 1 with a high F1 is a perfect fit instead, and after a single epoch a model may
        simply not have learned to rank yet.
        """
        if metrics["eval_recall"] == 1.0 and metrics["eval_micro_f1"] < 0.5 and state.epoch >= 2:
            raise UserError(
                f"training: the model has collapsed at step {state.global_step}: it predicts every "
                "code for every dev note; lower models.*.learning_rate or check precision"
            )


def history_table(log: list[dict[str, float]]) -> pl.DataFrame:
    """Turn the Trainer's log into the table training/history; a resumed run gives the same."""
    rows = [
        (float(entry["epoch"]), int(entry["step"]), metric, float(entry[metric]))
        for entry in log
        for metric in HISTORY
        if metric in entry
    ]
    return pl.DataFrame(rows, schema=TABLES["training/history"].columns, orient="row")


def train(
    model: PreTrainedModel,
    train_notes: TokenDataset,
    dev_notes: TokenDataset,
    collator: Collator,
    settings: dict[str, Any],
    steps: int,
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
        steps: optimizer steps in all; a broken last epoch counts as an epoch.
        seed: for order, dropout and guidelines.
        checkpoints: folder of this very run (see checkpoints.py); training goes on from the
            last one in it. The caller removes it when the model is saved.

    Raises:
        UserError: nothing to train or select on, a loss or logit that is no number, a collapse.
    """
    if len(train_notes) == 0:
        raise UserError("training: the train split is empty; check corpus.split")
    if dev_notes.tokens["label_ids"].list.len().sum() == 0:
        raise UserError(
            "training: no dev note has a code of the label space, so no epoch can be chosen; "
            "check corpus.split and corpus.label_space"
        )
    set_seed(seed)
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        max_steps=steps,
        learning_rate=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
        warmup_steps=math.ceil(settings["warmup_ratio"] * steps),
        lr_scheduler_type="linear",
        max_grad_norm=settings["gradient_clip"],
        per_device_train_batch_size=settings["batch_size"],
        per_device_eval_batch_size=settings["batch_size"],
        bf16=settings["precision"] == "bf16",
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        logging_nan_inf_filter=False,
        save_total_limit=1,  # and the best one
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
    # One GPU per run: more would make the Trainer split batches and change their size.
    arguments._n_gpu = min(1, arguments.n_gpu)
    trainer = CoderTrainer(
        model=model,
        args=arguments,
        train_dataset=train_notes,
        eval_dataset=dev_notes,
        data_collator=collator,
        compute_metrics=dev_metrics,
        callbacks=[EpochClock(collator)],
    )
    last = last_checkpoint(checkpoints)
    if last:
        print(f"resuming from {last.name}")
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    return history_table(trainer.state.log_history)
