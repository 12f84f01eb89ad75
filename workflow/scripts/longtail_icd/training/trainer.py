"""Training a coder with transformers' Trainer: our batches, our stops, resumable at any step."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch.utils.data import DataLoader
from transformers import (
    EvalPrediction,
    PreTrainedModel,
    TrainerCallback,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.training.batches import (
    Collator,
    LengthGroupedSampler,
    TokenBudgetSampler,
    TokenDataset,
)
from longtail_icd.training.calibration import (
    Calibration,
    Rescaling,
    fit_calibration,
    rescale_unseen,
)
from longtail_icd.training.callbacks import (
    CollapseGuard,
    EarlyStopping,
    EpochClock,
    EpochLoss,
    ExtraCheckpoints,
    Progress,
    epochs_without_gain,
)
from longtail_icd.training.checkpoints import (
    LAST_FILE,
    CheckpointedTrainer,
    check_label_space,
    last_checkpoint,
    load_weights,
)
from longtail_icd.training.schedule import visits_of
from longtail_icd.training.selection import best_micro_f1, mean_average_precision

HISTORY = ("loss", "grad_norm", "learning_rate", "eval_loss", "eval_map", "eval_micro_f1")
SELECT_ON = {"map": "eval_map", "micro_f1": "eval_micro_f1", "last": None}


@dataclass(frozen=True)
class TrainNotes:
    """The notes of a train set.

    Attributes:
        notes: the real ones, then the added ones, with their weights.
        real: number of the real ones, each counted as often as an epoch passes through it.
        order: a train set's: how real and added notes follow each other (see schedule.py).
        steps: optimizer steps in all; a broken last epoch counts as an epoch.
    """

    notes: TokenDataset
    real: int
    order: str
    steps: int


@dataclass(frozen=True)
class Trained:
    """What a training gives beside the weights.

    Attributes:
        history: the table training/history.
        step: the optimizer step whose weights were kept.
        threshold: the logit at which they had their best micro-F1 on dev.
        calibration: of their logits on dev.
        rescaling: of the logits of unseen codes; already part of the weights.
    """

    history: pl.DataFrame
    step: int
    threshold: float
    calibration: Calibration
    rescaling: Rescaling


def dev_metrics(prediction: EvalPrediction, unseen: np.ndarray | None = None) -> dict[str, float]:
    """MAP, micro-F1 and recall at the threshold that is best for micro-F1, calibration, on dev.

    Args:
        prediction: logits and gold labels, [N, L].
        unseen: codes whose logits are rescaled first, [L] of booleans; see rescale_unseen.

    Raises:
        UserError: a logit is not finite.
    """
    logits, targets = prediction.predictions, prediction.label_ids
    if not np.isfinite(logits).all():
        raise UserError("training: dev logits are not finite; lower models.*.learning_rate")
    rescaling = Rescaling()
    if unseen is not None:
        rescaling = rescale_unseen(logits, targets, unseen)
        logits = np.where(unseen, rescaling(logits), logits)
    cut, micro_f1 = best_micro_f1(logits, targets)
    recall = float((logits >= cut)[targets.astype(bool)].mean())
    ranking = mean_average_precision(logits, targets)
    calibration = fit_calibration(logits, targets)
    return {
        "map": ranking,
        "micro_f1": micro_f1,
        "recall": recall,
        "threshold": cut,
        "slope": calibration.slope,
        "intercept": calibration.intercept,
        "factor": rescaling.factor,
        "offset": rescaling.offset,
    }


class CoderTrainer(CheckpointedTrainer):
    """Trainer whose step is one weighted mean over the notes of a batch, however it is cut.

    A batch may be cut into parts, for accumulation or for several devices. Each part's loss is a
    weighted mean over its own notes and counts by its share of the batch's weight, so the gradient
    is that of the whole batch, of a short last one too.
    """

    # See compute_loss.
    loss_is_scaled_for_ga = True

    def __init__(self, sampler: LengthGroupedSampler | TokenBudgetSampler, **kwargs: Any):
        self.sampler = sampler
        self.epoch_loss = EpochLoss()
        super().__init__(**kwargs)
        self.add_callback(self.epoch_loss)

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:
        return self.sampler

    def get_train_dataloader(self) -> DataLoader:
        """Return the batches; a sampler of whole batches is not cut again."""
        if not isinstance(self.sampler, TokenBudgetSampler):
            return super().get_train_dataloader()
        loader = DataLoader(
            self.train_dataset, batch_sampler=self.sampler, collate_fn=self.data_collator
        )
        return self.accelerator.prepare(loader)

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device):
        """Return the parts of a batch that this process gets, and the weight of the whole batch."""
        parts, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        weight = sum(part["weights"].sum() for part in parts)
        return parts, self.accelerator.gather(weight.to(device)).sum()

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """Return the loss of a part by its share of the batch; of dev notes the loss itself."""
        outputs = model(**inputs)
        loss = outputs.loss
        if num_items_in_batch is not None:
            # Gradients are averaged over processes; the sum is wanted.
            share = inputs["weights"].sum() / num_items_in_batch
            loss = loss * share * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Do one step; checked before the optimizer can spoil the weights, on every process.

        Raises:
            UserError: the loss is no number.
        """
        loss = super().training_step(*args, **kwargs)
        value = self.accelerator.gather(loss).mean().item()
        if not math.isfinite(value):
            raise UserError(
                f"training: the loss is {value} at step {self.state.global_step + 1}; "
                "lower models.*.learning_rate or check precision"
            )
        self.epoch_loss.total += value
        return loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log the epoch's loss, not only that since the training was resumed."""
        if "loss" in logs:
            logs["loss"] = self.epoch_loss.take()
        super().log(logs, *args, **kwargs)


def history_table(log: list[dict[str, float]]) -> pl.DataFrame:
    """Turn the Trainer's log into the table training/history; a resumed run gives the same."""
    rows = [
        (float(entry["epoch"]), int(entry["step"]), metric, float(entry[metric]))
        for entry in log
        for metric in HISTORY
        if metric in entry
    ]
    return pl.DataFrame(rows, schema=TABLES["training/history"].columns, orient="row")


def training_arguments(
    settings: dict[str, Any], steps: int, seed: int, folder: Path
) -> TrainingArguments:
    """Translate a model's block of the configuration for the Trainer."""
    per_device = settings["batch_size"] // settings["devices"]
    part = settings["micro_batch"] or per_device
    cpu = not torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        learning_rate=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
        warmup_steps=math.ceil(settings["warmup_ratio"] * steps),
        lr_scheduler_type="linear",
        max_grad_norm=settings["gradient_clip"] or 0.0,
        per_device_train_batch_size=part,
        per_device_eval_batch_size=part,
        gradient_accumulation_steps=per_device // part,
        bf16=settings["precision"] == "bf16",
        use_cpu=cpu,
        ddp_backend="gloo" if cpu and settings["devices"] > 1 else None,
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        logging_nan_inf_filter=False,
        save_total_limit=1,  # and the best one
        metric_for_best_model=SELECT_ON[settings["select_on"]],
        greater_is_better=True,
        label_names=["targets"],
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
        seed=seed,
        data_seed=seed,
    )
    # One GPU per process: more would make the Trainer split batches and change their size.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def _sampler(
    train_notes: TrainNotes, settings: dict[str, Any], part: int, seed: int
) -> LengthGroupedSampler | TokenBudgetSampler:
    """Return the order of the notes; several devices get as many parts each."""
    if settings["batch_tokens"] is not None:
        return TokenBudgetSampler(train_notes.notes.lengths, settings["batch_tokens"], seed)
    notes, batch_size, devices = len(train_notes.notes), settings["batch_size"], settings["devices"]
    epochs = math.ceil(train_notes.steps / math.ceil(notes / batch_size))
    return LengthGroupedSampler(
        train_notes.notes.lengths,
        batch_size,
        seed,
        visits=visits_of(train_notes.order, train_notes.real, notes, epochs, seed),
        multiple=part * devices if devices > 1 else 1,
    )


def _callbacks(
    settings: dict[str, Any],
    collator: Collator,
    sampler: LengthGroupedSampler | TokenBudgetSampler,
    save_steps: int | None,
) -> list[TrainerCallback]:
    callbacks = [EpochClock(collator, sampler), Progress(), CollapseGuard()]
    if settings["early_stopping"] is not None:
        metric = SELECT_ON[settings["select_on"]]
        callbacks.append(EarlyStopping(metric, settings["early_stopping"]))
    if save_steps is not None:
        callbacks.append(ExtraCheckpoints(save_steps))
    return callbacks


def _is_finished(state: TrainerState, settings: dict[str, Any], steps: int) -> bool:
    """Say whether a checkpoint is the last of its run: killed before the model was saved."""
    patience = settings["early_stopping"]
    gainless = epochs_without_gain(state.log_history, SELECT_ON[settings["select_on"]])
    return state.global_step >= steps or (patience is not None and gainless >= patience)


def _resume(
    trainer: CoderTrainer, checkpoints: Path, settings: dict[str, Any], steps: int
) -> TrainerState:
    """Train on from the last checkpoint, if there is one, and return the state at the end."""
    last = last_checkpoint(checkpoints)
    if last is None:
        trainer.train()
        return trainer.state
    print(f"resuming from {last.name}")
    check_label_space(last, trainer.model.config.labels)
    state = TrainerState.load_from_json(str(last / LAST_FILE))
    if _is_finished(state, settings, steps):
        return state
    trainer.train(resume_from_checkpoint=str(last))
    return trainer.state


def train(
    model: PreTrainedModel,
    train_notes: TrainNotes,
    dev_notes: TokenDataset,
    collator: Collator,
    settings: dict[str, Any],
    seed: int,
    checkpoints: Path,
    save_steps: int | None = None,
    unseen: np.ndarray | None = None,
) -> Trained:
    """Train ``model`` in place and leave it with the weights of the epoch that is best on dev.

    Args:
        model: the coder to train.
        train_notes: the notes to train on.
        dev_notes: what the best epoch is chosen on.
        collator: makes batches.
        settings: the model's block of the configuration.
        seed: for order, dropout and guidelines.
        checkpoints: folder of this very run (see checkpoints.py); training goes on from the
            last one in it. The caller removes it when the model is saved.
        save_steps: steps between checkpoints inside an epoch, if there are to be any.
        unseen: the codes whose logits are rescaled on dev, [L] of booleans; none: as they are.

    Raises:
        UserError: nothing to train or select on, a loss or logit that is no number, a collapse, a
            full disk, a checkpoint of another label space.
    """
    if len(train_notes.notes) == 0:
        raise UserError("training: the train split is empty; check corpus.split")
    if dev_notes.tokens["label_ids"].list.len().sum() == 0:
        raise UserError(
            "training: no dev note has a code of the label space, so no epoch can be chosen; "
            "check corpus.split and corpus.label_space"
        )
    arguments = training_arguments(settings, train_notes.steps, seed, checkpoints)
    sampler = _sampler(train_notes, settings, arguments.per_device_train_batch_size, seed)
    trainer = CoderTrainer(
        sampler=sampler,
        model=model,
        args=arguments,
        train_dataset=train_notes.notes,
        eval_dataset=dev_notes,
        data_collator=collator,
        compute_metrics=partial(dev_metrics, unseen=unseen),
        callbacks=_callbacks(settings, collator, sampler, save_steps),
    )
    # Processes draw dropout apart from each other.
    set_seed(seed + arguments.process_index)
    state = _resume(trainer, checkpoints, settings, train_notes.steps)
    step = state.best_global_step or state.global_step
    load_weights(model, checkpoints / f"checkpoint-{step}")
    trainer.accelerator.wait_for_everyone()  # the caller may remove the checkpoints now
    chosen = next(
        entry for entry in state.log_history if entry["step"] == step and "eval_threshold" in entry
    )
    calibration = Calibration(chosen["eval_slope"], chosen["eval_intercept"])
    rescaling = Rescaling(chosen["eval_factor"], chosen["eval_offset"])
    if unseen is not None:
        model.rescale(torch.from_numpy(unseen), rescaling.factor, rescaling.offset)
    history = history_table(state.log_history)
    return Trained(history, step, chosen["eval_threshold"], calibration, rescaling)
