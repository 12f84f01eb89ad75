"""What the workers that ask one endpoint share."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from longtail_icd.generation.outcomes import Failure


@dataclass
class RunState:
    """Progress, failures and breaks of one run.

    ever_good: the endpoint has answered well, now or in an earlier run.
    """

    total: int
    ever_good: bool
    started: float = field(default_factory=time.monotonic)
    last_good: float = field(default_factory=time.monotonic)
    done: int = 0
    in_flight: int = 0
    reached: bool = False
    lost_in_a_row: int = 0
    pause_until: float = 0.0
    errors: Counter = field(default_factory=Counter)
    failure: Exception | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def fail(self, error: Exception) -> None:
        """Let the workers end; of several reasons the first is the one to tell."""
        self.failure = self.failure or error
        self.stop.set()

    def note_good(self) -> None:
        """Remember that the endpoint has just answered well."""
        self.ever_good = self.reached = True
        self.lost_in_a_row = 0
        self.last_good = time.monotonic()

    def note(self, failure: Failure) -> None:
        """Count a failure; if the server asks for a break, all workers take it."""
        self.errors[failure.kind] += 1
        self.reached = self.reached or failure.reached
        if failure.wait_s is not None:
            self.pause_until = max(self.pause_until, time.monotonic() + failure.wait_s)

    async def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the end of the run."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), seconds)

    def line(self) -> str:
        """Return the progress: done, rate, in flight, errors by kind, time left."""
        elapsed = time.monotonic() - self.started
        rate = self.done / elapsed if elapsed else 0.0
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate else "time left unknown"
        errors = ", ".join(f"{kind} {count}" for kind, count in sorted(self.errors.items()))
        return (
            f"notes: {self.done}/{self.total}, {rate:.1f}/s, {self.in_flight} in flight, "
            f"errors: {errors or 'none'}, {left}"
        )
