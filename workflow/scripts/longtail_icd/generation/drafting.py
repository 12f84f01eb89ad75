"""From a request to a draft by way of chats: one step, a plan and then the note, or corrections."""

import asyncio
from dataclasses import replace
from typing import Protocol

from longtail_icd.generation.requests import NO_ANSWER, Answer, Asker, Chat, Draft, Request
from longtail_icd.generation.sampling import Sampling

CORRECTION = "Write the whole note again, corrected as follows:\n{corrections}"


class Drafter(Protocol):
    """Anything that writes notes."""

    async def draft(self, request: Request) -> Draft:
        """Return the first draft."""

    async def revise(self, request: Request, draft: Draft, corrections: list[str]) -> Draft:
        """Return a draft with corrections, or the same if the writer makes none."""

    async def judge(self, request: Request, draft: Draft, chat: Chat) -> Draft:
        """Return the draft with what a judge, asked by a chat, says of it."""


def _said(chat: Chat, answer: str, follow_up: str) -> Chat:
    return [
        *chat,
        {"role": "assistant", "content": answer},
        {"role": "user", "content": follow_up},
    ]


def _finish_reason(answers: list[Answer]) -> str:
    """Return the first answer's that is no plain stop: a note is as whole as its worst part."""
    return next((one["finish_reason"] for one in answers if one["finish_reason"] != "stop"), "stop")


def _failed(answer: Answer) -> bool:
    return answer["finish_reason"] in NO_ANSWER


class ChatDrafter:
    """Writes notes by asking a language model.

    Args:
        asker: gets the answers.
        sampling: model and parameters.
    """

    def __init__(self, asker: Asker, sampling: Sampling):
        self._asker = asker
        self._sampling = sampling

    async def _ask(self, chat: Chat, seed: int, data_class: str) -> Answer:
        return await self._asker.ask(self._sampling.body(chat, seed), data_class)

    async def draft(self, request: Request) -> Draft:
        """Return the note that the chats' answers make; see :class:`Request` for the two steps."""
        # Parts of one note have seeds of their own.
        asked = enumerate(request.chats)
        answers = await asyncio.gather(
            *(self._ask(chat, request.seed + part, request.data_class) for part, chat in asked)
        )
        plan = None
        if request.follow_up is not None and not _failed(answers[0]):
            plan = answers[0]["text"]
            chat = _said(request.chats[0], plan, request.follow_up)
            answers.append(await self._ask(chat, request.seed, request.data_class))
        parts = answers[1:] if plan is not None else answers
        return _draft_of(request, answers, parts, plan)

    async def revise(self, request: Request, draft: Draft, corrections: list[str]) -> Draft:
        """Return the corrected note, asked for in the chat that the draft came from."""
        chat = request.chats[0]
        if draft.plan is not None:
            chat = _said(chat, draft.plan, request.follow_up)
        written = draft.text.removeprefix(request.before).removesuffix(request.after)
        lines = "\n".join(f"- {correction}" for correction in corrections)
        chat = _said(chat, written, CORRECTION.format(corrections=lines))
        answer = await self._ask(chat, request.seed, request.data_class)
        revised = _draft_of(request, [answer], [answer], draft.plan)
        return replace(_with_costs(revised, draft), repaired=True)

    async def judge(self, request: Request, draft: Draft, chat: Chat) -> Draft:
        """Return the draft with the judge's words; they are as sensitive as the request."""
        answer = await self._ask(chat, request.seed, request.data_class)
        judged = replace(draft, judgement=None if _failed(answer) else answer["text"])
        return _with_costs(judged, _draft_of(request, [answer], [answer], None))


def _draft_of(
    request: Request, answers: list[Answer], parts: list[Answer], plan: str | None
) -> Draft:
    """Return the draft whose text is made of ``parts``, and whose costs are all the answers'."""
    return Draft(
        request_id=request.request_id,
        text=request.note([part["text"] for part in parts]),
        plan=plan,
        judgement=None,
        repaired=False,
        finish_reason=_finish_reason(answers),
        model=answers[-1]["model"],
        prompt_tokens=sum(answer["prompt_tokens"] for answer in answers),
        completion_tokens=sum(answer["completion_tokens"] for answer in answers),
        attempts=sum(answer["attempts"] for answer in answers),
        endpoint=answers[-1]["endpoint"],
    )


def _with_costs(draft: Draft, other: Draft) -> Draft:
    """Return the draft with another's tokens and tries added to its own."""
    names = ("prompt_tokens", "completion_tokens", "attempts")
    return replace(draft, **{name: getattr(draft, name) + getattr(other, name) for name in names})
