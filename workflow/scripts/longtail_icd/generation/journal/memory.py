"""An asker with a memory: what the journal knows is not asked again."""

import asyncio
from typing import Any

from longtail_icd.common.errors import UserError
from longtail_icd.generation.journal.journal import Journal, request_key
from longtail_icd.generation.requests import NO_ANSWER, Answer, Asker
from longtail_icd.generation.runner.run_state import RunEnded, RunState


class RememberingAsker:
    """Stands in front of another asker.

    An answer that cannot be stored ends the run: no other is asked for, which would be lost too.

    known and asked count the questions that were answered from the journal and those that were not.
    """

    def __init__(self, asker: Asker, journal: Journal, state: RunState):
        self._asker = asker
        self._journal = journal
        self._state = state
        self._under_way: dict[str, asyncio.Task[Answer]] = {}
        self.known = 0
        self.asked = 0

    async def ask(self, body: dict[str, Any], data_class: str) -> Answer:
        """Return the stored answer, or ask and store; the same question is never under way twice.

        What is no answer is not stored, so that the next run asks again.

        Raises:
            RunEnded: what the other asker raises; the answer could not be stored.
        """
        key = request_key(body)
        stored = self._journal.get(key)
        if stored is not None:
            self.known += 1
            return stored
        if key not in self._under_way:
            task = asyncio.ensure_future(self._ask(key, body, data_class))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(self._under_way[key])

    async def drain(self) -> None:
        """Wait for what is under way, so that answers which are paid for are stored."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    async def _ask(self, key: str, body: dict[str, Any], data_class: str) -> Answer:
        answer = await self._asker.ask(body, data_class)
        self.asked += 1
        if answer["finish_reason"] not in NO_ANSWER:
            self._store(key, answer)
        return answer

    def _store(self, key: str, answer: Answer) -> None:
        try:
            self._journal.append(key, answer)
        except UserError as error:
            self._state.fail(error)
            raise RunEnded from None
