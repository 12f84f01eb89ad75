"""Asks OpenAI-compatible servers, one chat at a time for as many as want an answer.

Waits out what passes (429, 5xx, timeouts, cut connections), stops at once at what does not (401,
403, 404, 400, 422). Never logs a prompt, a note or a key.
"""

import datetime
import math
import random
import time
from typing import Any

import httpx2
import openai

from longtail_icd.common.errors import UserError
from longtail_icd.generation.endpoints.endpoint import Endpoint
from longtail_icd.generation.endpoints.gate import check_endpoint
from longtail_icd.generation.requests import Answer
from longtail_icd.generation.runner.budgets import Budgets
from longtail_icd.generation.runner.limiter import AdaptiveLimit
from longtail_icd.generation.runner.outcomes import Failure, answer_of, failure_of, given_up
from longtail_icd.generation.runner.patience import Patience
from longtail_icd.generation.runner.run_state import RunEnded, RunState
from longtail_icd.generation.runner.servers import Server, Servers

# Every try at a note costs a note's time, so answers that are none are not asked for long.
_INVALID_TRIES = 3


class EndpointAsker:
    """Gets answers from one endpoint.

    Args:
        endpoint: where prompts of which data class may go.
        servers: its servers, opened.
        state: shared by all that ask.
        budgets: what may be asked for per minute and spent.
        patience: bounds of the retries.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        servers: Servers,
        state: RunState,
        budgets: Budgets,
        patience: Patience,
    ):
        self.endpoint = endpoint
        self.limit = AdaptiveLimit(endpoint.concurrency)
        self.at_once = 2 * endpoint.concurrency  # requests to have in work, so that it never idles
        self._servers = servers
        self._state = state
        self._budgets = budgets
        self._patience = patience
        self._allowed: set[str] = set()

    def live(self) -> tuple[int, int, float]:
        """Return how many requests are in flight, how many may be, and the money spent."""
        return self.limit.in_flight, int(self.limit.limit), self._budgets.money.spent

    async def ask(self, body: dict[str, Any], data_class: str) -> Answer:
        """Return the answer to a Chat Completions body, however long it takes.

        Its keys: text, finish_reason, model, prompt_tokens, completion_tokens, attempts, endpoint.
        One that the server keeps failing on while it answers others has finish_reason ``error`` or
        ``invalid`` and no text.

        Raises:
            RunEnded: the endpoint is not allowed, unreachable, or rejects requests.
        """
        attempts, charged, invalid, failing_since = 0, 0, 0, math.inf
        while True:
            entered, server, outcome = await self._try(body, data_class)
            attempts += 1
            if isinstance(outcome, dict):
                self._state.note_good()
                self.limit.succeeded()
                server.good += 1
                return self._paid(outcome | {"attempts": attempts, "endpoint": server.base_url})
            self._state.note(outcome)
            if outcome.overload:
                self.limit.overloaded(entered)
            if not outcome.reached:
                self._servers.lost(server)
            failing_since = min(failing_since, time.monotonic())
            # A server that has gone away is waited for, which is nobody's try.
            charged += not (outcome.busy or server.down)
            invalid += outcome.kind == "invalid"
            if invalid >= _INVALID_TRIES or self._exhausted(outcome, charged):
                return self._give_up(outcome, server, attempts, failing_since)
            # A longer break that the server asked for comes before the next try.
            await self._state.sleep(self._patience.wait_s(attempts, random.random()))

    async def _try(
        self, body: dict[str, Any], data_class: str
    ) -> tuple[float, Server, dict[str, Any] | Failure]:
        """Wait for a turn and ask once; return when it was, whom and what came of it."""
        state = self._state
        await self._budgets.take(body, state.sleep)
        entered = await self.limit.enter()
        try:
            while (pause := state.pause_until - time.monotonic()) > 0 and state.failure is None:
                await state.sleep(pause + random.random() * self._patience.first_wait_s)
            self._check(data_class)
            async with self._servers.least_busy() as server:
                return entered, server, await self._ask_once(server, body)
        except UserError as error:
            state.fail(error)
            raise RunEnded from None
        finally:
            self.limit.leave()

    def _check(self, data_class: str) -> None:
        """Hold the gate shut for a class that may not pass; addresses are checked at connection."""
        if data_class not in self._allowed:
            check_endpoint(self.endpoint, data_class, datetime.date.today())
            self._allowed.add(data_class)

    async def _ask_once(self, server: Server, body: dict[str, Any]) -> dict[str, Any] | Failure:
        """Return the answer or the failure of one try; a :class:`UserError` if no try will help."""
        try:
            # Body and answer as they stand: `chat.completions.create` would look through every
            # part of both for what it could convert, and does not take fields it does not know.
            response = await server.client.post(
                "/chat/completions", body=body, cast_to=httpx2.Response
            )
            completion = response.json()
        except openai.APIError as error:
            return failure_of(error, server.base_url)
        except ValueError:
            # The body said it was JSON and is not, or not all of it.
            return Failure("garbled")
        return answer_of(completion) or Failure("invalid")

    def _paid(self, answer: dict[str, Any]) -> dict[str, Any]:
        try:
            self._budgets.money.add(answer)
        except UserError as error:
            # This answer is kept; no other is asked for.
            self._state.fail(error)
        return answer

    def _exhausted(self, failure: Failure, charged: int) -> bool:
        """Return whether a request has had all the tries it may have."""
        patience, state = self._patience, self._state
        if failure.busy:
            return time.monotonic() - state.last_good > patience.busy_s
        return charged >= (patience.attempts if state.reached else patience.attempts_unreached)

    def _give_up(
        self, failure: Failure, server: Server, attempts: int, failing_since: float
    ) -> dict[str, Any]:
        """Return an answer without a text if the request is at fault, or end the run.

        The endpoint is at fault if nothing listens and nothing was answered since the request's
        first failure, if it has never answered well, if it stays busy, or if one request
        after another fails.
        """
        state = self._state
        state.lost_in_a_row += 1
        gone = failure.kind == "unreachable" and state.last_good <= failing_since
        hopeless = state.lost_in_a_row > self._patience.lost_in_a_row
        if gone or failure.busy or hopeless or not state.ever_good:
            state.fail(given_up(failure.kind, server.base_url))
            raise RunEnded
        return {
            "text": "",
            "finish_reason": "invalid" if failure.kind == "invalid" else "error",
            "model": "",
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "attempts": attempts,
            "endpoint": server.base_url,
        }
