"""What is told of a run while it runs: a line in the rule's log every ten seconds."""

import asyncio
import sys
import time
from collections.abc import Callable

from longtail_icd.generation.runner.run_state import RunState

EVERY_S = 10.0


class Status:
    """Progress of one shard's notes.

    Args:
        total: notes that are allocated.
        state: of the run that asks for them; None: nobody is asked.
        live: gives requests in flight, how many may be, and the money spent.
    """

    def __init__(
        self,
        total: int,
        state: RunState | None = None,
        live: Callable[[], tuple[int, int, float]] | None = None,
    ):
        self.total = total
        self.done = 0
        self._state = state
        self._live = live
        self._started = time.monotonic()

    def finished(self, notes: int) -> None:
        """Count notes that were written or given up."""
        self.done += notes

    def line(self) -> str:
        """Return one line: done, rate, time left; and in flight, limit, errors by kind, cost."""
        elapsed = time.monotonic() - self._started
        rate = self.done / elapsed if elapsed else 0.0
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate else "time left unknown"
        line = f"notes: {self.done}/{self.total}, {rate:.1f}/s, {left}"
        if self._live is None:
            return line
        in_flight, limit, spent = self._live()
        errors = ", ".join(f"{kind} {count}" for kind, count in sorted(self._state.errors.items()))
        cost = f", cost {spent:.2f}" if spent else ""
        return f"{line}, {in_flight} in flight (limit {limit}), errors: {errors or 'none'}{cost}"

    async def tell(self, every_s: float = EVERY_S) -> None:
        """Print the line for as long as the task runs: to the log, and to a terminal if any."""
        terminal = sys.__stderr__ is not None and sys.__stderr__.isatty()
        while True:
            await asyncio.sleep(every_s)
            print(self.line())
            if terminal:
                print(self.line(), file=sys.__stderr__)
