"""What all that ask one endpoint share."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from longtail_icd.generation.runner.outcomes import Failure


class RunEnded(Exception):
    """No request is started any more; :attr:`RunState.failure` says why."""


@dataclass
class RunState:
    """Failures and breaks of one run.

    ever_good: the endpoint has answered well, now or in an earlier run.
    """

    ever_good: bool = False
    last_good: float = field(default_factory=time.monotonic)
    reached: bool = False
    lost_in_a_row: int = 0
    pause_until: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    failure: BaseException | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def fail(self, error: BaseException) -> None:
        """Let nothing new start; of several reasons the first is the one to tell."""
        self.failure = self.failure or error
        self._stop.set()

    def note_good(self) -> None:
        """Remember that the endpoint has just answered well."""
        self.ever_good = self.reached = True
        self.lost_in_a_row = 0
        self.last_good = time.monotonic()

    def note(self, failure: Failure) -> None:
        """Count a failure; if the server asks for a break, all take it."""
        self.errors[failure.kind] += 1
        self.reached = self.reached or failure.reached
        if failure.wait_s is not None:
            until = time.monotonic() + failure.wait_s
            # Time for which the server asked not to be asked is nobody's silence.
            self.last_good += max(0.0, until - max(self.pause_until, time.monotonic()))
            self.pause_until = max(self.pause_until, until)

    async def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the end of the run."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
