"""The pilot: some requests of a recipe whose answers show how long its answers are."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.generation.drafting import ChatDrafter
from longtail_icd.generation.journal import Journal
from longtail_icd.generation.journal.memory import RememberingAsker
from longtail_icd.generation.requests import Answer, Assessment, Draft, Request
from longtail_icd.generation.runner.run_state import RunEnded, RunState
from longtail_icd.generation.sampling import read_sampling
from longtail_icd.generation.spool import Spool
from longtail_icd.generation.writers import Shard, write_shard

PILOT_SIZE = 50  # requests that are looked for in the journal where none are to be asked


class _Nobody:
    """An asker that asks nobody."""

    async def ask(self, body: dict[str, Any], data_class: str) -> Answer:
        raise RunEnded


class _Unscreened:
    """Lets every draft pass: of a pilot only the size counts."""

    def assess(self, request: Request, draft: Draft) -> Assessment:
        return Assessment(draft.text, [], [], [])


def pilot_ids(requests: pl.DataFrame, size: int) -> list[str]:
    """Return the first planned requests of each tier in turn.

    Before: a plan that starts with 900 requests for tail codes. After: as many of each tier.

    Args:
        requests: see :func:`estimate.request_table`.
        size: how many.
    """
    turn = pl.int_range(pl.len()).over("tier")
    planned = requests.filter(~pl.col("reserve")).with_columns(turn=turn)
    return planned.sort("turn", maintain_order=True).head(size)["request_id"].to_list()


def ask_pilot(
    settings: dict[str, Any], journal: str | Path, requests: list[Request]
) -> float | None:
    """Ask what the journal does not know yet, so that nothing is paid for twice.

    Args:
        settings: one block of ``writers:``.
        journal: its folder.
        requests: the pilot's.

    Returns:
        tokens answered per second, all together; None if some answers were there already, of
        which nobody knows how long they took.
    """
    fresh = not known_drafts(settings, journal, requests)
    shard = Shard(
        lambda: iter(requests), len(requests), _Unscreened(), None, lambda: lambda *_: False
    )
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Spool(folder) as spool:
        write_shard(shard, settings, None, journal, spool)
        tokens = sum(draft.completion_tokens for draft in spool.drafts())
    return tokens / (time.monotonic() - start) if fresh and tokens else None


def known_drafts(
    settings: dict[str, Any], journal: str | Path, requests: list[Request]
) -> dict[str, Draft]:
    """Return the drafts that the journal knows every answer of, by request_id."""
    stored = Journal(journal)
    drafter = ChatDrafter(RememberingAsker(_Nobody(), stored, RunState()), read_sampling(settings))

    async def known() -> list[Draft | BaseException]:
        drafts = map(drafter.draft, requests)
        return await asyncio.gather(*drafts, return_exceptions=True)

    try:
        drafts = [one for one in asyncio.run(known()) if not isinstance(one, RunEnded)]
    finally:
        stored.close()
    return {draft.request_id: draft for draft in drafts}
