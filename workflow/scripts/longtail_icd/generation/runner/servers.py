"""The servers behind one endpoint: the next request goes to the one with least to do."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx2
import openai

from longtail_icd.generation.endpoints.endpoint import Endpoint, read_key
from longtail_icd.generation.endpoints.transport import http_client
from longtail_icd.generation.runner.outcomes import given_up
from longtail_icd.generation.runner.patience import Patience
from longtail_icd.generation.runner.run_state import RunEnded, RunState


@dataclass(eq=False)
class Server:
    """One base URL of an endpoint. down: nobody asks it until it answers a question for health."""

    base_url: str
    client: openai.AsyncOpenAI
    in_flight: int = 0
    good: int = 0
    down: bool = False


def _health_url(base_url: str) -> str:
    """Return where a server says how it is. Before: http://h:8000/v1. After: http://h:8000/health."""
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc, "/health", "", ""))


class Servers:
    """Opened with ``async with``; every connection goes through the privacy gate.

    Nothing is looked up, no key is read, before the first request: a run that the journal answers
    needs neither. A server that was there and is gone is left alone until it is back: a circuit
    breaker. The run ends if all of them stay away for longer than ``patience.gone_s``.
    """

    def __init__(self, endpoint: Endpoint, patience: Patience, state: RunState):
        # The package logs requests, with prompts, if OPENAI_LOG asks for it.
        for name in ("openai", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._endpoint = endpoint
        self._patience = patience
        self._state = state
        self._http = http_client(endpoint)
        self._servers: list[Server] = []
        self._probes: set[asyncio.Task[None]] = set()
        self._all_down_since = 0.0

    async def __aenter__(self) -> "Servers":
        return self

    async def __aexit__(self, *error: object) -> None:
        for probe in self._probes:
            probe.cancel()
        await self._http.aclose()

    @asynccontextmanager
    async def least_busy(self) -> AsyncIterator[Server]:
        """Yield the server with the fewest requests, once any is up.

        Raises:
            RunEnded: the run has ended.
            UserError: the key is missing, or no server has been up for too long.
        """
        if not self._servers:
            key = read_key(self._endpoint.api_key_env)
            self._servers = [
                Server(url, self._client(url, key)) for url in self._endpoint.base_urls
            ]
        server = await self._any_up()
        server.in_flight += 1
        try:
            yield server
        finally:
            server.in_flight -= 1

    def _client(self, base_url: str, key: str) -> openai.AsyncOpenAI:
        client = openai.AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            timeout=self._endpoint.timeout_s,
            max_retries=0,
            http_client=self._http,
        )
        # Set from the environment by default, and sent as headers.
        client.organization = client.project = None
        return client

    async def _any_up(self) -> Server:
        while self._state.failure is None:
            up = [server for server in self._servers if not server.down]
            if up:
                return min(up, key=lambda server: server.in_flight)
            if time.monotonic() - self._all_down_since > self._patience.gone_s:
                raise given_up("unreachable", self._servers[0].base_url)
            await self._state.sleep(self._patience.probe_s)
        raise RunEnded

    def lost(self, server: Server) -> None:
        """Take note that nothing listens at a server; one that never answered gets its tries."""
        if server.down or not (server.good or len(self._servers) > 1):
            return
        server.down = True
        if all(one.down for one in self._servers):
            self._all_down_since = time.monotonic()
        probe = asyncio.create_task(self._probe(server))
        self._probes.add(probe)
        probe.add_done_callback(self._probes.discard)

    async def _probe(self, server: Server) -> None:
        """Ask for a server's health until it answers anything but a server error."""
        while server.down:
            await asyncio.sleep(self._patience.probe_s)
            with suppress(httpx2.HTTPError):
                answer = await self._http.get(_health_url(server.base_url))
                server.down = answer.status_code >= 500
