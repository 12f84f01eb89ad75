"""All notes of one anchor: the allocated ones, and reserve requests in place of those that fail."""

import asyncio
from collections.abc import Iterator
from itertools import groupby, islice
from typing import Protocol

from longtail_icd.generation.drafting import Drafter
from longtail_icd.generation.requests import Assessment, Chat, Draft, Request, Screen, Seen


class Judge(Protocol):
    """Decides what a judge is asked about a draft."""

    def __call__(self, request: Request, assessment: Assessment) -> Chat:
        """Return the chat."""


class NoteWriter:
    """Writes single notes: draft, screening, at most one correction, and the judge if any.

    Args:
        drafter: writes.
        screen: says what is wrong; see :class:`Screen`.
        judge: None: nobody is asked.
    """

    def __init__(self, drafter: Drafter, screen: Screen, judge: Judge | None = None):
        self._drafter = drafter
        self._screen = screen
        self._judge = judge

    async def write(self, request: Request) -> tuple[Draft, Assessment]:
        """Return the last draft of a request and what screening says of it."""
        draft, assessment = await self._judged(request, await self._drafter.draft(request))
        if not assessment.repairs:
            return draft, assessment
        revised = await self._drafter.revise(request, draft, assessment.repairs)
        if revised is draft:
            return draft, assessment
        return await self._judged(request, revised)

    async def _judged(self, request: Request, draft: Draft) -> tuple[Draft, Assessment]:
        assessment = self._screen.assess(request, draft)
        if self._judge is None or assessment.reasons:
            return draft, assessment
        chat = self._judge(request, assessment)
        draft = await self._drafter.judge(request, draft, chat)
        return draft, self._screen.assess(request, draft)


async def write_anchor(requests: list[Request], writer: NoteWriter, seen: Seen) -> list[Draft]:
    """Return the drafts of one anchor's requests, in the order they were asked for.

    Reserve requests are asked for in their order, as many at a time as notes are still missing,
    until every allocated note has one that is ok or none is left. What is asked for depends on
    answers alone, never on their timing.

    Args:
        requests: all of one anchor, reserve ones among them.
        writer: of single notes.
        seen: whether a note is a near-duplicate of one that it was called with before.
    """
    batch = [request for request in requests if not request.reserve]
    reserve = iter([request for request in requests if request.reserve])
    missing = len(batch)
    drafts: list[Draft] = []
    while batch:
        written = await asyncio.gather(*map(writer.write, batch))
        for request, (draft, assessment) in zip(batch, written, strict=True):
            drafts.append(draft)
            missing -= not (assessment.reasons or seen(request, draft, assessment.text))
        batch = list(islice(reserve, missing))
    return drafts


def by_anchor(requests: Iterator[Request]) -> Iterator[list[Request]]:
    """Yield the requests of each anchor together; they stand together in the table."""
    for _, group in groupby(requests, key=lambda request: request.anchor):
        yield list(group)
