"""A training that is told to end: it saves a checkpoint first, and the next attempt goes on."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from accelerate import Accelerator
from transformers import TrainerCallback

from longtail_icd.common.errors import UserError
from longtail_icd.training.callbacks import ends_epoch


@contextmanager
def on_termination(handler: Callable[..., None]) -> Iterator[None]:
    """Let SIGTERM call ``handler`` inside the block."""
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class SaveOnTermination(TrainerCallback):
    """Ends a training with a checkpoint when :meth:`note` is called, as the handler of SIGTERM.

    A scheduler sends SIGTERM some time before it kills a job that has used up its time or is
    cancelled. The step under way is finished, at the end of an epoch with its evaluation. Of
    several processes all end at the same step, whichever is told first.

    Args:
        accelerator: knows the other processes.
    """

    def __init__(self, accelerator: Accelerator):
        self.accelerator = accelerator
        self.told = False
        self.ending = False

    def note(self, *_) -> None:
        """Note the signal; it may come in the middle of a step."""
        self.told = True

    def on_step_end(self, args, state, control, **kwargs):
        """Ask for a checkpoint if any process was told; at an epoch's end one is saved anyway."""
        if self.told:
            self.accelerator.set_trigger()
        self.ending = self.accelerator.check_trigger()
        if self.ending and not ends_epoch(state):
            control.should_save = True

    def on_save(self, args, state, control, **kwargs):
        """End when the checkpoint is complete.

        Raises:
            UserError: the training was told to end.
        """
        if self.ending:
            raise UserError(
                f"training: ended by SIGTERM; checkpoint-{state.global_step} of "
                f"{state.max_steps} steps is saved, run again to go on from it"
            )
