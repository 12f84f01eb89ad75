"""What the parts of the stage hand to each other: requests, answers, drafts, assessments."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypedDict

import polars as pl

from longtail_icd.common.tables import iter_table

Chat = list[dict[str, str]]  # messages: role and content each
# Finish reasons of answers that are none; the next run asks for them again.
NO_ANSWER = ("error", "invalid")


@dataclass(frozen=True)
class Request:
    """One note to write; column for column a row of `generation/prompts`.

    Attributes:
        request_id: the plan's name of the request.
        anchor: the code that the note is written for.
        codes: all codes of the note, sorted.
        chats: one chat per part of the note; its answer is that part.
        follow_up: the user message of a second step, or null. Then the answer to the chat is the
            note's plan (JSON, see docs/prompts.md), and the note is the answer to the chat with
            plan and follow-up appended.
        before: real text in front of what is written, or empty.
        after: real text behind it, or empty.
        knowledge: one object per code, the anchor first: code, role (anchor, companion), kind,
            title, wording (what a writer without a language model says), style (see
            prompts/wordings.py), synonyms (all of them).
        seed: of the writer's draws.
        data_class: see data_class.py.
        reserve: whether it is asked only if another request of the anchor fails.
    """

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

    def note(self, answers: list[str]) -> str:
        """Return the note that the answers make, one answer per chat."""
        return self.before + "\n".join(answers) + self.after


@dataclass(frozen=True)
class Draft:
    """What was written for one request, before any screening.

    Attributes:
        request_id: of the request.
        text: the note as answered, with the real text around it.
        plan: the first answer of a two-step note, or null.
        judgement: JSON of the judge, or null.
        repaired: whether the text is the answer to a request for corrections.
        finish_reason: the server's (``stop``, ``length``, ``content_filter``, …), or ``invalid``
            for an answer that is no chat completion and ``error`` for a request that the server
            kept failing on while it answered others.
        model: as the server names it.
        prompt_tokens: of all its requests together, as is completion_tokens.
        completion_tokens: see there.
        attempts: tries of all its requests together.
        endpoint: where the prompt went; null: nowhere.
    """

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


class Answer(TypedDict):
    """The answer to one chat; see :class:`Draft` for the fields."""

    text: str
    finish_reason: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    attempts: int
    endpoint: str | None


class Asker(Protocol):
    """Anything that answers chats; the journal sits in front of it."""

    async def ask(self, body: dict[str, Any], data_class: str) -> Answer:
        """Return the answer to a complete Chat Completions body of this data class."""


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


# Whether a draft, by its request and its cleaned text, is nearly one that was shown before.
Seen = Callable[[Request, Draft, str], bool]


class Screen(Protocol):
    """Anything that assesses drafts: pure and deterministic, made once per shard job."""

    def assess(self, request: Request, draft: Draft) -> Assessment:
        """Return what is to be said of the draft."""


def requests_of(prompts: str | Path | pl.DataFrame) -> Iterator[Request]:
    """Yield the requests of a table `generation/prompts` in its order; a file is read in batches.

    Raises:
        UserError: the file is missing, unreadable or does not fit the schema.
    """
    held = isinstance(prompts, pl.DataFrame)
    for batch in [prompts] if held else iter_table(prompts, "generation/prompts"):
        for row in batch.iter_rows(named=True):
            decoded = {name: json.loads(row[name]) for name in ("chats", "knowledge")}
            yield Request(**row | decoded)


def drafts_of(responses: pl.DataFrame) -> list[Draft]:
    """Return the drafts of a table `generation/responses`."""
    return [Draft(**row) for row in responses.iter_rows(named=True)]
