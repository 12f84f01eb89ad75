"""Requests, tokens, hours and money per tier, for one recipe."""

import json
from dataclasses import dataclass

import polars as pl

from longtail_icd.common.tiers import TIERS
from longtail_icd.generation.cost.prices import Price
from longtail_icd.generation.requests import Chat, Draft

# Of English prose in the vocabularies of current models, about; clinical text is a little denser.
CHARACTERS_PER_TOKEN = 4.0
ALL = "all"
COLUMNS = (
    "planned",
    "reserve",
    "prompt_tokens",
    "completion_tokens",
    "hours",
    "usd",
    "usd_with_reserve",
)


@dataclass(frozen=True)
class Sizes:
    """What a request takes.

    Args:
        characters_per_token: of prompts.
        answer_tokens: mean tokens of an answer.
        answers: how many answers these figures come from; 0: they are assumed.
    """

    characters_per_token: float
    answer_tokens: float
    answers: int


def request_table(
    code_sets: pl.DataFrame, prompts: pl.DataFrame, tiers: pl.DataFrame
) -> pl.DataFrame:
    """Return one row per planned or reserve request, in plan order.

    Args:
        code_sets: the table `plan/code_sets`.
        prompts: the table `generation/prompts`, all shards.
        tiers: the table `plan/tiers`.

    Returns:
        request_id, tier, reserve, questions (chats that a note takes) and characters of all their
        prompts; both null where none was composed.
    """
    asked = [
        _questions(json.loads(chats), follow_up)
        for chats, follow_up in prompts.select("chats", "follow_up").iter_rows()
    ]
    sizes = pl.DataFrame(asked, {"questions": pl.Int64, "characters": pl.Int64}, orient="row")
    return (
        code_sets.select("request_id", "anchor", "reserve")
        .join(
            pl.concat([prompts.select("request_id"), sizes], how="horizontal"),
            on="request_id",
            how="left",
            maintain_order="left",
        )
        .join(
            tiers.select("code", "tier"), left_on="anchor", right_on="code", maintain_order="left"
        )
        .select("request_id", "tier", "reserve", "questions", "characters")
    )


def _questions(chats: list[Chat], follow_up: str | None) -> tuple[int, int]:
    """Return how many questions a note takes and the characters of their prompts.

    The second step repeats the first one's prompt; the plan in between is left out.
    """
    characters = sum(len(message["content"]) for chat in chats for message in chat)
    if follow_up is None:
        return len(chats), characters
    return len(chats) + 1, 2 * characters + len(follow_up)


def assumed_sizes(requests: pl.DataFrame, max_tokens: int) -> Sizes:
    """Return sizes without a pilot: every answer as long as it may be, an upper bound."""
    return Sizes(CHARACTERS_PER_TOKEN, max_tokens * (requests["questions"].mean() or 1), 0)


def measured_sizes(requests: pl.DataFrame, drafts: dict[str, Draft]) -> Sizes | None:
    """Return the sizes that answers show; None if none of them counts its tokens.

    Args:
        requests: see :func:`request_table`.
        drafts: by request_id.
    """
    counted = {
        request_id: draft
        for request_id, draft in drafts.items()
        if draft.prompt_tokens and draft.completion_tokens
    }
    if not counted:
        return None
    characters = requests.filter(pl.col("request_id").is_in(list(counted)))["characters"].sum()
    prompt_tokens = sum(draft.prompt_tokens for draft in counted.values())
    completion_tokens = sum(draft.completion_tokens for draft in counted.values())
    return Sizes(characters / prompt_tokens, completion_tokens / len(counted), len(counted))


def _cost(
    planned: int,
    reserve: int,
    prompt_tokens: float,
    sizes: Sizes,
    price: Price | None,
    tokens_per_s: float | None,
) -> dict[str, float | None]:
    """Return the cost of the requests of one tier, with ``prompt_tokens`` each."""
    completion_tokens = planned * sizes.answer_tokens
    usd = None if price is None else price.usd(prompt_tokens, sizes.answer_tokens)
    return {
        "planned": planned,
        "reserve": reserve,
        "prompt_tokens": planned * prompt_tokens,
        "completion_tokens": completion_tokens,
        "hours": None if tokens_per_s is None else completion_tokens / tokens_per_s / 3600,
        "usd": None if usd is None else planned * usd,
        "usd_with_reserve": None if usd is None else (planned + reserve) * usd,
    }


def _total(values: list[float | None]) -> float | None:
    return None if None in values else sum(values)


def estimate(
    requests: pl.DataFrame, sizes: Sizes, price: Price | None, tokens_per_s: float | None
) -> list[dict[str, str | float | None]]:
    """Return the cost of a recipe per tier, and of all tiers together.

    A request has the mean prompt of its tier. Tokens, hours and ``usd`` are of the planned
    requests; ``usd_with_reserve`` is reached if every reserve request is needed.

    Args:
        requests: see :func:`request_table`.
        sizes: what a request takes.
        price: of the model; None: not known.
        tokens_per_s: tokens answered per second, all servers together; None: not known.

    Returns:
        rows of tier, planned, reserve, prompt_tokens, completion_tokens, hours, usd,
        usd_with_reserve; the last tier is ``all``. None: not known.
    """
    per_tier = (
        requests.group_by("tier")
        .agg(
            planned=(~pl.col("reserve")).sum(),
            reserve=pl.col("reserve").sum(),
            prompt_tokens=pl.col("characters").mean() / sizes.characters_per_token,
        )
        .sort(pl.col("tier").cast(pl.Enum(TIERS)))
    )
    costs = {
        tier: _cost(*figures, sizes, price, tokens_per_s) for tier, *figures in per_tier.iter_rows()
    }
    totals = {column: _total([cost[column] for cost in costs.values()]) for column in COLUMNS}
    return [{"tier": tier, **cost} for tier, cost in {**costs, ALL: totals}.items()]
