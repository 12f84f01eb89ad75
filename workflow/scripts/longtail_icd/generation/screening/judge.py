"""A language model as judge: it must quote the note, and only quotes that stand there count."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from longtail_icd.generation.evidence import Span
from longtail_icd.generation.prompts.templates import load_template
from longtail_icd.generation.requests import Assessment, Chat, Request
from longtail_icd.generation.screening.answers import entries_of, read_object
from longtail_icd.generation.screening.words import Words, phrase_of

PRESENT = ("present", "current", "active", "chronic", "done", "past", "history")
# In the judge's words what the verdicts call negated, family and historical.
_VERDICTS = {
    "absent": "negated",
    "negated": "negated",
    "family": "family",
    "historical": "historical",
}


@dataclass(frozen=True)
class Judgement:
    """What the judge says of a note.

    Attributes:
        quoted: per supported code the words [first, last) of its quotes that stand in the note.
        denied: per code that is not supported the verdict.
        extra: per further condition the words [first, last) of its quote.
    """

    quoted: dict[str, list[Span]] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    extra: dict[str, list[Span]] = field(default_factory=dict)


def judge_values(knowledge: list[dict[str, Any]], text: str) -> dict[str, Any]:
    """Return what the template resources/prompts/judge.j2 is filled with."""
    items = [
        {"number": at, "title": one["title"], "kind": one["kind"]}
        for at, one in enumerate(knowledge, 1)
    ]
    return {"items": items, "note": text}


def load_judge(path: str | Path) -> Callable[[Request, Assessment], Chat]:
    """Return what makes the judge's chat about a draft; ``path`` is the template."""
    template = load_template(path)
    return lambda request, assessment: template.messages(
        judge_values(request.knowledge, assessment.text)
    )


def read_judgement(answer: str | None, codes: list[str], words: Words) -> Judgement:
    """Read a judge's answer against the note; what it says without a true quote is ignored.

    Args:
        answer: ``{"items": [{"item": 1, "supported": true, "quote": …, "status": …}], "extra":
            [{"condition": …, "quote": …}]}``, or nearly; null: no judge was asked.
        codes: in the order of the request's knowledge; item counts them from 1.
        words: of the note.
    """
    said = read_object(answer)
    judgement = Judgement()
    for one in entries_of(said, "items"):
        number = one.get("item")
        if not isinstance(number, int) or not 1 <= number <= len(codes):
            continue
        code, status = codes[number - 1], str(one.get("status") or "present").lower()
        places = _quoted(one.get("quote"), words)
        if one.get("supported") is True and status in PRESENT:
            if places:
                judgement.quoted.setdefault(code, []).extend(places)
        elif one.get("supported") is False:
            judgement.denied[code] = _VERDICTS.get(status, "not_found")
    for one in entries_of(said, "extra"):
        places = _quoted(one.get("quote"), words)
        if places and isinstance(one.get("condition"), str):
            judgement.extra[one["condition"]] = places
    return judgement


def _quoted(quote: Any, words: Words) -> list[Span]:
    """Return where a quote stands in the note, whatever its case, plurals and punctuation."""
    phrase = phrase_of(quote) if isinstance(quote, str) else ""
    return words.find(phrase) if phrase else []
