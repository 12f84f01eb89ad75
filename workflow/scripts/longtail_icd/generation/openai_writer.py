"""A writer for any server with OpenAI's Chat Completions interface.

Waits out what passes (429, 5xx, timeouts, cut connections), stops at once at what does not (401,
403, 404, 400, 422), and stores every answer as it arrives. Never logs a prompt, a note or a key.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openai

from longtail_icd.common.errors import UserError
from longtail_icd.generation.endpoint import Endpoint, check_base_url, read_key
from longtail_icd.generation.journal import Journal, request_key
from longtail_icd.generation.outcomes import Failure, answer_of, failure_of, given_up
from longtail_icd.generation.patience import Patience
from longtail_icd.generation.requests import Request
from longtail_icd.generation.run_state import RunState
from longtail_icd.generation.writer import NO_ANSWER, Response

PROGRESS_EVERY_S = 10.0
# Every try at a note costs a note's time, so answers that are none are not asked for long.
_INVALID_TRIES = 3


@dataclass(frozen=True)
class Sampling:
    """What, beside the prompt, determines an answer."""

    model: str
    max_tokens: int
    max_tokens_key: str
    temperature: float
    top_p: float

    def body(self, request: Request) -> dict[str, Any]:
        """Return the complete body of a request: the fields every server takes, no others."""
        return {
            "model": self.model,
            "messages": request.chats[0],
            self.max_tokens_key: self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": request.seed,
        }


class OpenAIWriter:
    """Asks an OpenAI-compatible server for notes.

    Args:
        sampling: model and sampling parameters, part of a request's identity.
        endpoint: where and how to ask.
        journal: answers known from before, and where new ones go.
        patience: bounds of the retries.
    """

    def __init__(
        self,
        sampling: Sampling,
        endpoint: Endpoint,
        journal: Journal,
        patience: Patience | None = None,
    ):
        self.sampling = sampling
        self.endpoint = endpoint
        self.journal = journal
        self.patience = patience or Patience()

    def write(self, requests: list[Request]) -> Iterator[Response]:
        """Yield the response to each request, in their order; only unknown ones are asked.

        Raises:
            UserError: the endpoint is not allowed, unreachable, or rejects the requests. What was
                answered until then is in the journal.
        """
        bodies = {request_key(body): body for body in map(self.sampling.body, requests)}
        answers = self.journal.find(bodies)
        missing = {key: body for key, body in bodies.items() if key not in answers}
        print(f"notes: {len(answers)} of {len(bodies)} known from the journal")
        if missing:
            check_base_url(self.endpoint.base_url)
            key = read_key(self.endpoint.api_key_env)
            try:
                answers |= asyncio.run(self._ask(missing, key, ever_good=bool(answers)))
            finally:
                self.journal.close()
        for request in requests:
            answer = answers[request_key(self.sampling.body(request))]
            yield Response(request_id=request.request_id, **answer)

    def _client(self, key: str) -> openai.AsyncOpenAI:
        """Return a client that goes to base_url and nowhere else, whatever the environment says."""

        async def gate(_: Any) -> None:
            check_base_url(self.endpoint.base_url)

        # The package logs requests, with prompts, if OPENAI_LOG asks for it.
        for name in ("openai", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        client = openai.AsyncOpenAI(
            api_key=key,
            base_url=self.endpoint.base_url,
            timeout=self.endpoint.timeout_s,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpx2Client(
                follow_redirects=False, trust_env=False, event_hooks={"request": [gate]}
            ),
        )
        # Set from the environment by default, and sent as headers.
        client.organization = client.project = None
        return client

    async def _ask(
        self, bodies: dict[str, dict[str, Any]], key: str, ever_good: bool
    ) -> dict[str, dict[str, Any]]:
        """Return the answer to each body, asked by as many workers as the endpoint may have."""
        state = RunState(len(bodies), ever_good)
        waiting = iter(bodies.items())
        answers: dict[str, dict[str, Any]] = {}

        async def work(client: openai.AsyncOpenAI) -> None:
            # After a failure no worker starts anything new, but answers under way are kept.
            while state.failure is None and (item := next(waiting, None)):
                answer = await self._ask_until_answered(client, item[1], state)
                if answer is None:
                    return
                answers[item[0]] = answer
                # What is no answer is asked for again by the next run.
                if answer["finish_reason"] not in NO_ANSWER:
                    self.journal.append(item[0], answer)
                state.done += 1

        async with self._client(key) as client:
            reporter = asyncio.create_task(self._report(state))
            workers = [work(client) for _ in range(min(self.endpoint.concurrency, len(bodies)))]
            try:
                await asyncio.gather(*workers)
            finally:
                reporter.cancel()
        print(state.line())
        if state.failure is not None:
            raise state.failure
        return answers

    async def _report(self, state: RunState) -> None:
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
            print(state.line())

    async def _ask_once(
        self, client: openai.AsyncOpenAI, body: dict[str, Any], state: RunState
    ) -> dict[str, Any] | Failure:
        """Return the answer or the failure of one try; a :class:`UserError` if no try will help."""
        state.in_flight += 1
        try:
            completion = await client.chat.completions.create(**body)
        except openai.APIError as error:
            return failure_of(error, self.endpoint.base_url)
        except ValueError:
            # The body said it was JSON and is not.
            return Failure("invalid")
        finally:
            state.in_flight -= 1
        return answer_of(completion) or Failure("invalid")

    async def _ask_until_answered(
        self, client: openai.AsyncOpenAI, body: dict[str, Any], state: RunState
    ) -> dict[str, Any] | None:
        """Return the answer to one request, however long it takes; None if the run has to end."""
        attempts, charged, failing_since = 0, 0, math.inf
        while state.failure is None:
            if (pause := state.pause_until - time.monotonic()) > 0:
                await state.sleep(pause + random.random() * self.patience.first_wait_s)
                continue
            attempts += 1
            try:
                outcome = await self._ask_once(client, body, state)
            except UserError as error:
                state.fail(error)
                return None
            if isinstance(outcome, dict):
                state.note_good()
                return outcome | {"attempts": attempts, "endpoint": self.endpoint.base_url}
            state.note(outcome)
            failing_since = min(failing_since, time.monotonic())
            charged += not outcome.busy
            if self._exhausted(outcome, charged, state):
                return self._give_up(outcome, attempts, failing_since, state)
            # A longer break that the server asked for follows at the head of the loop.
            await state.sleep(self.patience.wait_s(attempts, random.random()))
        return None

    def _exhausted(self, failure: Failure, charged: int, state: RunState) -> bool:
        """Return whether a request has had all the tries it may have."""
        patience = self.patience
        if failure.busy:
            return time.monotonic() - state.last_good > patience.busy_s
        if failure.kind == "invalid":
            return charged >= _INVALID_TRIES
        return charged >= (patience.attempts if state.reached else patience.attempts_unreached)

    def _give_up(
        self, failure: Failure, attempts: int, failing_since: float, state: RunState
    ) -> dict[str, Any] | None:
        """Return a row without an answer if the request is at fault, or end the run.

        The endpoint is at fault if nothing listens and nothing was answered since the request's
        first failure, if it has never answered well, if it stays busy, or if one request
        after another fails.
        """
        state.lost_in_a_row += 1
        gone = failure.kind == "unreachable" and state.last_good <= failing_since
        hopeless = state.lost_in_a_row > self.patience.lost_in_a_row
        if gone or failure.busy or hopeless or not state.ever_good:
            state.fail(given_up(failure.kind, self.endpoint.base_url))
            return None
        return {
            "text": "",
            "finish_reason": "invalid" if failure.kind == "invalid" else "error",
            "model": "",
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "attempts": attempts,
            "endpoint": self.endpoint.base_url,
        }
