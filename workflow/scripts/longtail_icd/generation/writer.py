"""What every writer of notes takes and gives."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.generation.requests import Request

# Finish reasons of rows without an answer; the next run asks for them again.
NO_ANSWER = ("error", "invalid")


@dataclass(frozen=True)
class Response:
    """One answer, before any screening; column for column the table `generation/responses`.

    finish_reason is the server's (``stop``, ``length``, ``content_filter``, …), or ``invalid``
    for an answer that is no chat completion and ``error`` for a request that the server kept
    failing on while it answered others. endpoint is null if nothing was sent anywhere.
    """

    request_id: str
    text: str
    finish_reason: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    attempts: int
    endpoint: str | None


class Writer(Protocol):
    """Anything that writes notes: one response per request, in their order."""

    def write(self, requests: list[Request]) -> Iterator[Response]:
        """Yield the response to each request."""


def responses_table(responses: Iterable[Response]) -> pl.DataFrame:
    """Return the table `generation/responses`."""
    rows = [vars(response) for response in responses]
    return pl.DataFrame(rows, schema=TABLES["generation/responses"].columns)
