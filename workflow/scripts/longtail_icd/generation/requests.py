"""What the parts of the stage hand to each other: requests, drafts, assessments."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

Chat = list[dict[str, str]]  # messages: role and content each


@dataclass(frozen=True)
class Request:
    """One note to write; column for column a row of `generation/prompts`."""

    request_id: str
    anchor: str
    codes: list[str]
    chats: list[Chat]
    follow_up: str | None
    before: str
    after: str
    knowledge: list[dict[str, Any]]
    seed: int
    data_class: str
    reserve: bool


@dataclass(frozen=True)
class Draft:
    """What was written for one request, before any screening."""

    request_id: str
    text: str
    plan: str | None
    judgement: str | None
    repaired: bool
    finish_reason: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    attempts: int
    endpoint: str | None


@dataclass(frozen=True)
class Assessment:
    """What screening says of a draft.

    Attributes:
        text: the cleaned note.
        reasons: names of the checks that reject it; none: the note is ok.
        repairs: what one more request should correct, in words for the writer; none: nothing.
        labels: rows of `generation/labels`: request_id, code, role, verdict, evidence, weight.
    """

    text: str
    reasons: list[str]
    repairs: list[str]
    labels: list[dict[str, Any]]


class Screen(Protocol):
    """Anything that assesses drafts: pure and deterministic, made once per shard job."""

    def assess(self, request: Request, draft: Draft) -> Assessment:
        """Return what is to be said of the draft."""


def requests_of(prompts: pl.DataFrame) -> list[Request]:
    """Return the requests of a table `generation/prompts`."""
    return [
        Request(
            request_id=row["request_id"],
            anchor=row["anchor"],
            codes=row["codes"],
            chats=[json.loads(row["messages"])],
            follow_up=None,
            before="",
            after="",
            knowledge=json.loads(row["knowledge"]),
            seed=row["seed"],
            data_class=row["data_class"],
            reserve=False,
        )
        for row in prompts.iter_rows(named=True)
    ]


def drafts_of(responses: pl.DataFrame) -> list[Draft]:
    """Return the drafts of a table `generation/responses`."""
    one_step = {"plan": None, "judgement": None, "repaired": False}
    return [Draft(**one_step | row) for row in responses.iter_rows(named=True)]
