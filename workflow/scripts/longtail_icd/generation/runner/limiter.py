"""How many requests may be in flight: additive increase, multiplicative decrease."""

import asyncio
import math
import time
from collections import deque

FIRST = 16
LOWERED_TO = 0.75
# Share of a round's requests that may meet a busy server before the limit falls.
TOLERATED = 0.1


class AdaptiveLimit:
    """A limit that finds out how much a server takes.

    It doubles with every round of answers until the server first asks for less; from then on it
    grows by one a round. When more than a few of a round's requests find the server too busy, the
    limit falls to three quarters, once for all that were under way together.

    Args:
        most: never more in flight than this.
        first: in flight at the start.
    """

    def __init__(self, most: int, first: int = FIRST):
        self.most = most
        self.limit = float(min(first, most))
        self.in_flight = 0
        self._doubling = True
        self._lowered = -math.inf
        self._good = self._busy = 0  # of this round
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> float:
        """Wait for a place and take it; return the time at which it was taken."""
        if self._waiting or self.in_flight >= int(self.limit):
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            await place
        else:
            self.in_flight += 1
        return time.monotonic()

    def leave(self) -> None:
        """Give a place back."""
        self.in_flight -= 1
        self._admit()

    def succeeded(self) -> None:
        """Take note of a good answer."""
        self.limit = min(self.most, self.limit + (1.0 if self._doubling else 1.0 / self.limit))
        self._good += 1
        if self._good >= self.limit:
            self._good = self._busy = 0

    def overloaded(self, entered: float) -> None:
        """Take note that the server was too busy for a request that entered at this time."""
        if entered <= self._lowered:
            return
        self._busy += 1
        if self._busy > TOLERATED * self.limit:
            self.limit = max(1.0, self.limit * LOWERED_TO)
            self._doubling = False
            self._lowered = time.monotonic()
            self._good = self._busy = 0

    def _admit(self) -> None:
        while self._waiting and self.in_flight < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
