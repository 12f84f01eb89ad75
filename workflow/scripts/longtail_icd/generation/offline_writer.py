"""A writer that needs no language model: prose from the request's own knowledge.

It knows nothing but what the request says and a list of sentence frames, so it cannot lean on
anything the simulated hospital knows. For demo, tests and as a baseline.
"""

from collections.abc import Iterator

from longtail_icd.common.progress import progress
from longtail_icd.generation.offline.drafts import draft_of
from longtail_icd.generation.offline.prose import Prose
from longtail_icd.generation.requests import Request
from longtail_icd.generation.writer import Response


class OfflineWriter:
    """Writes deterministic prose: the same request always gets the same note."""

    def __init__(self, prose: Prose):
        self.prose = prose

    def write(self, requests: list[Request]) -> Iterator[Response]:
        """Yield the response to each request."""
        for request in progress(requests, len(requests), "notes"):
            text = draft_of(request, self.prose).text
            yield Response(request.request_id, text, "stop", "offline", 0, 0, 1, None)
