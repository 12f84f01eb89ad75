"""What a run may ask for per minute, and what it may cost."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from longtail_icd.common.errors import UserError

# Rough, and enough for a bound per minute.
CHARACTERS_PER_TOKEN = 4


class PerMinute:
    """An allowance that refills evenly; what is taken beyond it is waited for.

    Args:
        amount: per minute; None: no bound.
        clock: seconds.
    """

    def __init__(self, amount: float | None, clock: Callable[[], float] = time.monotonic):
        self.amount = amount
        self._clock = clock
        self._free_at = clock()

    async def take(self, amount: float, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait until so much more may be used. At most a second's worth is ever saved up."""
        if self.amount is None:
            return
        now = self._clock()
        start = max(self._free_at, now - 1.0)
        self._free_at = start + amount * 60.0 / self.amount
        if start > now:
            await sleep(start - now)


def _tokens_of(body: dict[str, Any]) -> float:
    prompt = sum(len(message["content"]) for message in body["messages"]) / CHARACTERS_PER_TOKEN
    return prompt + (body.get("max_tokens") or body.get("max_completion_tokens") or 0)


@dataclass
class Money:
    """What the answers of a run cost, by the server's count of tokens.

    Args:
        limit: the run ends when so much is spent; None: no bound. Answers under way at that moment
            are still paid for and kept.
        prompt_price: of a million prompt tokens, in the currency of the limit.
        completion_price: of a million completion tokens.
    """

    limit: float | None
    prompt_price: float
    completion_price: float
    spent: float = 0.0

    def add(self, answer: dict[str, Any]) -> None:
        """Count an answer's cost.

        Raises:
            UserError: the limit is reached; what was answered is kept.
        """
        self.spent += (
            answer["prompt_tokens"] * self.prompt_price
            + answer["completion_tokens"] * self.completion_price
        ) / 1e6
        if self.limit is not None and self.spent >= self.limit:
            raise UserError(
                f"the money budget of this job is spent ({self.spent:.2f} of {self.limit:.2f}); "
                "answers received so far are kept: raise the writer's budget.money and run again"
            )


class Budgets:
    """All bounds of one run.

    Args:
        requests: per minute; None: no bound.
        tokens: per minute, of prompts (four characters a token) and of the longest answers asked
            for; None: no bound.
        money: what answers may cost.
    """

    def __init__(self, requests: float | None, tokens: float | None, money: Money):
        self._requests = PerMinute(requests)
        self._tokens = PerMinute(tokens)
        self.money = money

    async def take(self, body: dict[str, Any], sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait until a request may be made."""
        await self._requests.take(1, sleep)
        if self._tokens.amount is not None:
            await self._tokens.take(_tokens_of(body), sleep)


def read_budgets(settings: dict[str, Any]) -> Budgets:
    """Return the budgets of one block of ``writers:``; without the block nothing is bounded."""
    bounds = {"money": None, "prompt_price": 0.0, "completion_price": 0.0}
    bounds |= {"requests_per_minute": None, "tokens_per_minute": None, **settings.get("budget", {})}
    money = Money(bounds["money"], bounds["prompt_price"], bounds["completion_price"])
    return Budgets(bounds["requests_per_minute"], bounds["tokens_per_minute"], money)
