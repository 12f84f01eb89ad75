"""Who answers a writer's questions: one way to open each backend with a language model."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from longtail_icd.generation.endpoints.endpoint import read_endpoint
from longtail_icd.generation.requests import Asker
from longtail_icd.generation.runner.asker import EndpointAsker
from longtail_icd.generation.runner.budgets import read_budgets
from longtail_icd.generation.runner.patience import Patience
from longtail_icd.generation.runner.run_state import RunState
from longtail_icd.generation.runner.servers import Servers
from longtail_icd.generation.sampling import Sampling, read_sampling
from longtail_icd.generation.servers.batch_writer import open_batch
from longtail_icd.generation.servers.hub import pinned_name
from longtail_icd.generation.servers.vllm_server import fail_with, read_server, running_servers


class LiveAsker(Asker, Protocol):
    """An asker that tells of its work."""

    at_once: int  # requests to have in work, so that it is never idle

    def live(self) -> tuple[int, int, float]:
        """Return how many requests are in flight, how many may be, and the money spent."""


Opener = Callable[[RunState], AbstractAsyncContextManager[LiveAsker]]


@dataclass(frozen=True)
class Beside:
    """Where a job leaves what is neither its output nor in the journal.

    Attributes:
        batch: folder for batch files.
        log: the job's log; logs of servers stand beside it.
    """

    batch: Path
    log: Path


def sampling_of(settings: dict[str, Any]) -> Sampling:
    """Return the sampling of one block of ``writers:`` whose backend asks a language model."""
    name = pinned_name(settings["model"], settings.get("revision"))
    return read_sampling({"max_tokens_key": "max_tokens", **settings, "model": name})


@asynccontextmanager
async def _open_endpoint(
    settings: dict[str, Any], state: RunState, patience: Patience
) -> AsyncIterator[EndpointAsker]:
    endpoint, budgets = read_endpoint(settings), read_budgets(settings)
    async with Servers(endpoint, patience, state) as servers:
        yield EndpointAsker(endpoint, servers, state, budgets, patience)


@asynccontextmanager
async def _open_vllm(
    settings: dict[str, Any], state: RunState, patience: Patience, log: Path
) -> AsyncIterator[EndpointAsker]:
    async with running_servers(read_server(settings), log) as servers:
        urls = [server.base_url for server in servers]
        watching = asyncio.create_task(fail_with(servers, state))
        try:
            async with _open_endpoint(
                settings | {"base_urls": urls, "api_key_env": None}, state, patience
            ) as asker:
                yield asker
        finally:
            watching.cancel()


def open_asker(
    settings: dict[str, Any], state: RunState, *, patience: Patience, beside: Beside | None
) -> AbstractAsyncContextManager[LiveAsker]:
    """Return the context in which a writer's questions are answered.

    Args:
        settings: one block of ``writers:``; its backend is not ``offline``.
        state: of the run.
        patience: bounds of the retries.
        beside: where files go; ``openai`` and ``transformers`` need none.
    """
    match settings["backend"]:
        case "batch":
            return open_batch(settings, state, patience, beside.batch)
        case "transformers":
            # Takes seconds to import, which jobs of other backends need not wait for.
            from longtail_icd.generation.servers.local_model import open_local_model  # noqa: PLC0415

            return open_local_model(settings, state)
        case "vllm":
            return _open_vllm(settings, state, patience, beside.log)
        case _:
            return _open_endpoint(settings, state, patience)
