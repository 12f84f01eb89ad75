"""The writer that a configuration asks for, at work on one shard."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from longtail_icd.generation.anchors import Judge, NoteWriter
from longtail_icd.generation.drafting import ChatDrafter, Drafter
from longtail_icd.generation.journal.journal import Journal
from longtail_icd.generation.journal.memory import RememberingAsker
from longtail_icd.generation.offline.drafts import draft_of
from longtail_icd.generation.offline.prose import Prose, load_prose
from longtail_icd.generation.requests import Chat, Draft, Request, Screen, Seen
from longtail_icd.generation.runner.patience import Patience
from longtail_icd.generation.runner.run_state import RunState
from longtail_icd.generation.runner.status import Status
from longtail_icd.generation.servers.opening import Beside, Opener, open_asker, sampling_of
from longtail_icd.generation.shard_job import ShardJob
from longtail_icd.generation.spool import Spool


@dataclass(frozen=True)
class Shard:
    """What one shard's notes are made of.

    Attributes:
        requests: gives them anew at each call.
        allocated: how many of them are no reserve.
        screen: what is wrong with a draft.
        judge: what a judge is asked; None: nobody.
        seen: makes a function that knows the near-duplicates among one anchor's notes.
    """

    requests: Callable[[], Iterator[Request]]
    allocated: int
    screen: Screen
    judge: Judge | None
    seen: Callable[[], Seen]


class OfflineDrafter:
    """Deterministic prose: the same request always gets the same note, and nothing corrects it."""

    def __init__(self, prose: Prose):
        self._prose = prose

    async def draft(self, request: Request) -> Draft:
        """Return the note."""
        return draft_of(request, self._prose)

    async def revise(self, request: Request, draft: Draft, corrections: list[str]) -> Draft:
        """Return the same draft."""
        return draft

    async def judge(self, request: Request, draft: Draft, chat: Chat) -> Draft:
        """Return the draft without a judgement."""
        return draft


async def _write(
    shard: Shard, drafter: Drafter, at_once: int, status: Status, spool: Spool
) -> None:
    """Write a shard, telling of its progress."""
    telling = asyncio.create_task(status.tell())
    writer = NoteWriter(drafter, shard.screen, shard.judge)
    try:
        await ShardJob(writer, shard.seen, at_once, status.finished).run(shard.requests(), spool)
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        print(status.line())


async def _write_by_asking(
    shard: Shard, settings: dict[str, Any], journal: Journal, opener: Opener, spool: Spool
) -> None:
    """Write a shard by asking a language model.

    Raises:
        UserError: the run ended early; what was answered is in the journal.
    """
    print(f"journal: {len(journal)} answers stored")
    state = RunState(ever_good=len(journal) > 0)
    async with opener(state) as asker:
        memory = RememberingAsker(asker, journal, state)
        status = Status(shard.allocated, state, asker.live)
        drafter = ChatDrafter(memory, sampling_of(settings))
        try:
            await _write(shard, drafter, asker.at_once, status, spool)
        except BaseException as error:
            state.fail(error)
            raise
        finally:
            await memory.drain()
    print(f"answers: {memory.known} known from the journal, {memory.asked} asked for")
    if state.failure is not None:
        raise state.failure


def write_shard(
    shard: Shard,
    settings: dict[str, Any],
    prose: str | Path | None,
    journal: str | Path,
    spool: Spool,
    patience: Patience | None = None,
    beside: Beside | None = None,
) -> None:
    """Write a shard's notes into the spool.

    Args:
        shard: its requests and how they are screened.
        settings: one block of ``writers:``.
        prose: file with the offline writer's sentences; others need none.
        journal: its folder; the offline writer is cheaper to run again than to store.
        spool: where drafts go.
        patience: bounds of the retries.
        beside: where batch files and logs of servers go.

    Raises:
        UserError: the endpoint is not allowed, unreachable or rejects requests, or a budget is
            spent.
    """
    if settings["backend"] == "offline":
        drafter = OfflineDrafter(load_prose(prose))
        asyncio.run(_write(shard, drafter, 1, Status(shard.allocated), spool))
        return
    stored = Journal(journal)
    opener = partial(open_asker, settings, patience=patience or Patience(), beside=beside)
    try:
        asyncio.run(_write_by_asking(shard, settings, stored, opener, spool))
    finally:
        stored.close()
