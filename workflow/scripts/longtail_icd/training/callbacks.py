"""What happens at the borders of steps and epochs: clocks, curves, early ends, checkpoints."""

import time
from typing import Any

from transformers import TrainerCallback, TrainerState
from transformers.trainer_callback import ExportableState

from longtail_icd.common.errors import UserError
from longtail_icd.training.batches import Collator, LengthGroupedSampler, TokenBudgetSampler


class EpochClock(TrainerCallback):
    """Tells collator, sampler and model which epoch it is, also when one is resumed midway."""

    def __init__(self, collator: Collator, sampler: LengthGroupedSampler | TokenBudgetSampler):
        self.collator = collator
        self.sampler = sampler

    def on_epoch_begin(self, args, state, control, model=None, **kwargs):
        """Draw new guidelines; R-Drop starts with the second epoch, as published."""
        epoch = int(state.epoch or 0)
        self.collator.epoch = epoch
        # The Trainer tells it too, but does not reach it through a loader that skips batches.
        self.sampler.set_epoch(epoch)
        if hasattr(model, "rdrop_active"):
            model.rdrop_active = epoch >= 1


class Progress(TrainerCallback):
    """Prints a line every few seconds."""

    def __init__(self, every_s: float = 10.0):
        self.every_s = every_s
        self.last = time.monotonic()

    def on_step_end(self, args, state, control, **kwargs):
        """Print how far the training is, on the first process."""
        if time.monotonic() - self.last >= self.every_s and state.is_world_process_zero:
            self.last = time.monotonic()
            print(f"step {state.global_step}/{state.max_steps}, epoch {state.epoch:.2f}")


class EpochLoss(TrainerCallback, ExportableState):
    """The mean loss of the epoch so far; kept in checkpoints, so that a resumed curve is whole."""

    def __init__(self) -> None:
        self.total = 0.0
        self.steps = 0

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"args": {}, "attributes": {"total": self.total, "steps": self.steps}}

    def on_train_begin(self, args, state, control, **kwargs):
        """Go on with the sum of the checkpoint, if there is one."""
        vars(self).update(state.stateful_callbacks[type(self).__name__]["attributes"])

    def on_step_end(self, args, state, control, **kwargs):
        """Count an optimizer step."""
        self.steps += 1

    def take(self) -> float:
        """Return the mean over the steps since the last call."""
        mean, self.total, self.steps = self.total / self.steps, 0.0, 0
        return mean


class CollapseGuard(TrainerCallback):
    """Stops a run whose model predicts every code for every dev note.

    The sign is a dev recall of 1.0 at the threshold that is best for micro-F1: no threshold does
    better than to predict everything. Two cases have the same recall and are let pass: a perfect
    fit, which has a high F1 too, and a first epoch, after which a model may simply not have learned
    to rank yet.
    """

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        """Look at the dev scores of an epoch.

        Raises:
            UserError: the model has collapsed.
        """
        if metrics["eval_recall"] == 1.0 and metrics["eval_micro_f1"] < 0.5 and state.epoch >= 2:
            raise UserError(
                f"training: the model has collapsed at step {state.global_step}: it predicts every "
                "code for every dev note; lower models.*.learning_rate or check precision"
            )


def epochs_without_gain(log: list[dict[str, float]], metric: str) -> int:
    """Return how many evaluations came after the best one; of equal ones the first is the best."""
    values = [entry[metric] for entry in log if metric in entry]
    return len(values) - 1 - values.index(max(values)) if values else 0


class EarlyStopping(TrainerCallback):
    """Ends the training after ``patience`` epochs without a gain in ``metric`` on dev."""

    def __init__(self, metric: str, patience: int):
        self.metric = metric
        self.patience = patience

    def on_evaluate(self, args, state, control, **kwargs):
        """Count in the log, which a resumed run has too."""
        if epochs_without_gain(state.log_history, self.metric) >= self.patience:
            print(f"stopping at step {state.global_step}: no gain for {self.patience} epochs")
            control.should_training_stop = True


def ends_epoch(state: TrainerState) -> bool:
    """Say whether a step is the last of its epoch, or of a training broken off inside one."""
    return state.epoch == int(state.epoch) or state.global_step == state.max_steps


class ExtraCheckpoints(TrainerCallback):
    """Saves a checkpoint every so many steps inside an epoch; at its end the Trainer saves one."""

    def __init__(self, every: int):
        self.every = every

    def on_step_end(self, args, state, control, **kwargs):
        """Ask for a checkpoint, but not where one with the epoch's evaluation follows."""
        if state.global_step % self.every == 0 and not ends_epoch(state):
            control.should_save = True
