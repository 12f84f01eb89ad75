"""The servers behind one endpoint: the next request goes to the one with least to do."""

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx2
import openai

from longtail_icd.generation.endpoints.gate import Endpoint, http_client
from longtail_icd.generation.runner.outcomes import given_up
from longtail_icd.generation.runner.patience import Patience
from longtail_icd.generation.runner.run_state import RunState


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

    A server that was there and is gone is left alone until it is back: a circuit breaker. The run
    ends if all of them stay away for longer than ``patience.gone_s``.
    """

    def __init__(self, endpoint: Endpoint, key: str, patience: Patience, state: RunState):
        # The package logs requests, with prompts, if OPENAI_LOG asks for it.
        for name in ("openai", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._http = http_client(endpoint)
        self._patience = patience
        self._state = state
        self._probes: set[asyncio.Task[None]] = set()
        self._all_down_since = 0.0
        self.servers = [
            Server(base_url, self._client(base_url, key, endpoint.timeout_s))
            for base_url in endpoint.base_urls
        ]

    def _client(self, base_url: str, key: str, timeout_s: float) -> openai.AsyncOpenAI:
        client = openai.AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            timeout=timeout_s,
            max_retries=0,
            http_client=self._http,
        )
        # Set from the environment by default, and sent as headers.
        client.organization = client.project = None
        return client

    async def __aenter__(self) -> "Servers":
        return self

    async def __aexit__(self, *error: object) -> None:
        for probe in self._probes:
            probe.cancel()
        await self._http.aclose()

    async def pick(self) -> Server | None:
        """Return the server with the fewest requests; None if the run ended while none was up."""
        while self._state.failure is None:
            up = [server for server in self.servers if not server.down]
            if up:
                return min(up, key=lambda server: server.in_flight)
            if time.monotonic() - self._all_down_since > self._patience.gone_s:
                self._state.fail(given_up("unreachable", self.servers[0].base_url))
                return None
            await self._state.sleep(self._patience.probe_s)
        return None

    def lost(self, server: Server) -> None:
        """Take note that nothing listens at a server; one that never answered gets its tries."""
        if server.down or not (server.good or len(self.servers) > 1):
            return
        server.down = True
        if all(one.down for one in self.servers):
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
