"""Questions answered many at a time: gathered until all that could ask wait for an answer."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from longtail_icd.generation.requests import Answer
from longtail_icd.generation.runner.run_state import RunEnded, RunState

# Between an answer and the question that it leads to lie a dozen turns of the event loop, and no
# wait for anything else.
_QUIET_TURNS = 100


@dataclass(frozen=True, eq=False)
class Question:
    """A Chat Completions body that waits for its answer."""

    body: dict[str, Any]
    data_class: str
    answer: asyncio.Future[Answer]


def no_answer(attempts: int, endpoint: str | None) -> Answer:
    """Return what stands for the answer to a question that keeps failing while others do not."""
    return {
        "text": "",
        "finish_reason": "error",
        "model": "",
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "attempts": attempts,
        "endpoint": endpoint,
    }


class Gatherer:
    """An asker that gathers questions and has them answered in rounds.

    A round holds what was asked for until nothing moved any more. Each question depends on earlier
    answers alone, so the same answers lead to the same rounds.

    Args:
        answer_all: answers the questions of a round, in any order, by setting their ``answer``.
        state: of the run; its failure ends the rounds.
    """

    at_once = sys.maxsize  # all of a shard, so that a round is as large as can be

    def __init__(self, answer_all: Callable[[list[Question]], Awaitable[None]], state: RunState):
        self._answer_all = answer_all
        self._state = state
        self._gathered: list[Question] = []
        self._under_way: list[Question] = []
        self._rounds: asyncio.Task[None] | None = None

    def live(self) -> tuple[int, int, float]:
        """Return how many questions wait, twice: none is held back; and no money is counted."""
        waiting = sum(not one.answer.done() for one in [*self._gathered, *self._under_way])
        return waiting, waiting, 0.0

    async def ask(self, body: dict[str, Any], data_class: str) -> Answer:
        """Return the answer to a body once its round is answered.

        Raises:
            RunEnded: the round failed; the state of the run says why.
        """
        if self._state.failure is not None:
            raise RunEnded
        question = Question(body, data_class, asyncio.get_running_loop().create_future())
        self._gathered.append(question)
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._answer_rounds())
        return await question.answer

    async def _answer_rounds(self) -> None:
        try:
            while await self._next_round() and self._state.failure is None:
                await self._answer_all(self._under_way)
        except RunEnded:
            pass
        except Exception as error:
            self._state.fail(error)
        finally:
            self._rounds = None
            for question in [*self._under_way, *self._gathered]:
                if not question.answer.done():
                    question.answer.set_exception(RunEnded())
            self._gathered = []

    async def _next_round(self) -> bool:
        """Wait until nothing moves and take what was asked; return whether there is anything."""
        seen, turns = -1, 0
        while turns < _QUIET_TURNS:
            turns = turns + 1 if seen == len(self._gathered) else 0
            seen = len(self._gathered)
            await asyncio.sleep(0)
        self._under_way, self._gathered = self._gathered, []
        return bool(self._under_way)
