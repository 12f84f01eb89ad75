"""How long to wait after a failure, and when to give up on an endpoint."""

import email.utils
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Bounds of the retries.

    Args:
        first_wait_s: wait after a request's first failure; each further one waits twice as long.
        longest_wait_s: no wait is longer, unless the server asks for it.
        attempts_unreached: tries of one request while the endpoint has never answered anything;
            a wrong port should not take minutes to find.
        attempts: tries of one request otherwise; a server may have to be started again. A server
            that is only busy (429) costs no try.
        lost_in_a_row: requests given up one after another before the endpoint is held at fault
            and not the requests.
        busy_s: longest time without a single good answer while the server says it is busy, breaks
            that it asks for aside.
        gone_s: how long a server that was there may be away before the run ends.
        probe_s: between two questions whether it is back.
    """

    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    attempts_unreached: int = 4
    attempts: int = 10
    lost_in_a_row: int = 10
    busy_s: float = 3600.0
    gone_s: float = 900.0
    probe_s: float = 5.0

    def wait_s(self, failures: int, chance: float) -> float:
        """Return the wait after so many failures (at least 1) of a request.

        Between half and the whole of an exponentially growing wait, so that requests which failed
        together do not come back together. Before: 3 failures, chance 0.5. After: 0.75 * 4 s.
        """
        # 2**30 seconds is beyond any bound; higher powers would overflow a float.
        whole = min(self.first_wait_s * 2 ** min(failures - 1, 30), self.longest_wait_s)
        return whole * (0.5 + chance / 2)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a server asks to wait (seconds or a date); None if it does not say.

    Before: ``retry-after: 7``. After: 7.0. However long it is: it is the server's to say.
    """
    asked = headers.get("retry-after")
    if asked is None:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(asked).timestamp() - time.time()
        except ValueError:
            return None
    # Also false for "nan".
    return seconds if seconds >= 0 and math.isfinite(seconds) else 0.0
