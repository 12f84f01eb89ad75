"""The OpenAI Batch API: files go up, batches are waited for, answers come down.

What happens to each file is kept beside it in ``batches.json``, and its name in the batch's
metadata, so that a job which is killed at any moment picks its batches up and makes none twice.

Source: OpenAI's reference of the endpoints files and batches.
"""

import datetime
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import openai
from openai.types import Batch

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_path, read_json, write_json
from longtail_icd.generation.endpoints.endpoint import Endpoint
from longtail_icd.generation.endpoints.gate import check_batch
from longtail_icd.generation.runner.outcomes import failure_of, given_up
from longtail_icd.generation.runner.patience import Patience
from longtail_icd.generation.runner.run_state import RunEnded, RunState
from longtail_icd.generation.runner.servers import Servers
from longtail_icd.generation.servers.batch_files import URL, answers_path

_ENDED = ("completed", "failed", "expired", "cancelled")
_RECENT = 100  # batches among which one is looked for that a killed job may have made
_NAME = "requests"  # the entry of a batch's metadata that holds the name of its file

T = TypeVar("T")


class _MadeBatches:
    """The batches that were made of files of requests, as a small file beside these.

    Args:
        requests: of one folder; batches of other files are forgotten.
    """

    def __init__(self, requests: list[Path]):
        self._path = requests[0].parent / "batches.json"
        names = {one.name for one in requests}
        stored = read_json(self._path) if self._path.exists() else {}
        self._ids: dict[str, str | None] = {
            name: batch_id for name, batch_id in stored.items() if name in names
        }

    def begun(self, requests: Path) -> bool:
        """Return whether a batch of this file has been made, or was about to be."""
        return requests.name in self._ids

    def get(self, requests: Path) -> str | None:
        """Return the id of the batch of a file of requests, or None."""
        return self._ids.get(requests.name)

    def put(self, requests: Path, batch_id: str | None) -> None:
        """Remember the batch of a file; None: it is about to be made."""
        write_json(self._ids | {requests.name: batch_id}, self._path)
        self._ids[requests.name] = batch_id

    def drop(self, requests: Path) -> None:
        """Forget the batch of a file."""
        del self._ids[requests.name]
        write_json(self._ids, self._path)


async def _make(client: openai.AsyncOpenAI, requests: Path, made: _MadeBatches) -> Batch:
    """Return the batch of a file of requests.

    If it was about to be made before, nobody knows whether it was: then it is looked for first.
    """
    if made.begun(requests):
        recent = await client.batches.list(limit=_RECENT)
        for batch in recent.data:
            if (batch.metadata or {}).get(_NAME) == requests.name:
                return batch
    made.put(requests, None)
    file = await client.files.create(file=requests, purpose="batch")
    return await client.batches.create(
        input_file_id=file.id,
        endpoint=URL,
        completion_window="24h",
        metadata={_NAME: requests.name},
    )


def _in_vain(batch: Batch) -> str:
    """Return what is to be said of a batch of which nothing came."""
    errors = (batch.errors and batch.errors.data) or []
    codes = ", ".join(sorted({one.code for one in errors if one.code})) or "no reason given"
    return (
        f"batch {batch.id} is {batch.status} and has no answers ({codes}); "
        "see to that and run again. A limit on queued tokens asks for fewer shards at once"
    )


class BatchApi:
    """Has files of requests answered by one endpoint.

    Args:
        endpoint: with one base URL.
        servers: its server, opened.
        state: of the run.
        patience: bounds of the retries.
        poll_s: between two looks at a batch.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        servers: Servers,
        state: RunState,
        patience: Patience,
        poll_s: float,
    ):
        self.endpoint = endpoint.base_urls[0]
        self._gate = endpoint
        self._servers = servers
        self._state = state
        self._patience = patience
        self._poll_s = poll_s

    async def run(self, requests: list[Path], classes: set[str]) -> None:
        """Return when the answers to all files lie beside them.

        Raises:
            RunEnded: the run ended meanwhile; the batches go on, and the next run picks them up.
            UserError: the gate is shut, the endpoint refuses, or it failed to run a batch.
        """
        for data_class in classes:
            check_batch(self._gate, data_class, datetime.date.today())
        made = _MadeBatches(requests)
        for path in requests:
            if made.get(path) is None:
                batch = await self._call(lambda client, path=path: _make(client, path, made))
                made.put(path, batch.id)
                print(f"batch {batch.id}: {path.name}")
        for path in requests:
            batch = await self._ended(made.get(path))
            if batch.output_file_id or batch.error_file_id:
                await self._fetch(path, batch)
            made.drop(path)
            if not answers_path(path).exists():
                raise UserError(f"base_url {self.endpoint}: {_in_vain(batch)}")

    async def _ended(self, batch_id: str) -> Batch:
        """Wait until a batch has ended, in whatever way."""
        while True:
            batch = await self._call(lambda client: client.batches.retrieve(batch_id))
            if batch.status in _ENDED:
                return batch
            await self._state.sleep(self._poll_s)

    async def _fetch(self, requests: Path, batch: Batch) -> None:
        """Store what came of a batch, answers and errors, beside its requests.

        Then the provider is asked to forget the batch's files.
        """
        files = [one for one in (batch.output_file_id, batch.error_file_id) if one]
        with atomic_path(answers_path(requests)) as temporary, temporary.open("wb") as stream:
            temporary.chmod(0o600)
            for one in files:
                part = await self._call(lambda client, one=one: client.files.content(one))
                stream.write(part.content)
        for one in [batch.input_file_id, *files]:
            with suppress(openai.APIError):
                async with self._servers.least_busy() as server:
                    await server.client.files.delete(one)

    async def _call(self, ask: Callable[[openai.AsyncOpenAI], Awaitable[T]]) -> T:
        """Return what the endpoint answers to one request, however long it takes.

        Raises:
            RunEnded: the run has ended.
            UserError: it refuses, or does not come back.
        """
        for attempt in range(1, self._patience.attempts + 1):
            if self._state.failure is not None:
                raise RunEnded
            async with self._servers.least_busy() as server:
                try:
                    return await ask(server.client)
                except openai.APIError as error:
                    failure = failure_of(error, server.base_url)
            self._state.note(failure)
            wait_s = self._patience.wait_s(attempt, random.random())
            await self._state.sleep(max(failure.wait_s or 0.0, wait_s))
        raise given_up(failure.kind, self.endpoint)
