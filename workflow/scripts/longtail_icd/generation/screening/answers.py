"""JSON that a language model answered, or nearly: plans and judgements."""

import json
import re
from typing import Any

_TRAILING_COMMA = re.compile(r",(\s*[}\]])")


def read_object(answer: str | None) -> dict[str, Any]:
    """Return the JSON object inside an answer; empty for what is none.

    What a model says around the object, a code fence for instance, and commas too many do not
    matter. Before: ``Here: {"codes": [1, ], }``. After: ``{"codes": [1]}``.
    """
    answer = answer or ""
    found = answer[answer.find("{") : answer.rfind("}") + 1]
    try:
        value = json.loads(_TRAILING_COMMA.sub(r"\1", found))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def entries_of(answer: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the objects of a list in an answer; anything else is left out."""
    entries = answer.get(key)
    return [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []


def planned_wordings(plan: str | None, codes: list[str]) -> dict[str, list[str]]:
    """Return per code the words by which a note's plan shows it.

    Args:
        plan: ``{"items": [{"item": 1, "wording": …, "manifestation": …}]}``; item counts codes
            from 1.
        codes: in the order of the request's knowledge.
    """
    wordings: dict[str, list[str]] = {}
    for one in entries_of(read_object(plan), "items"):
        number = one.get("item")
        if isinstance(number, int) and 1 <= number <= len(codes):
            said = [one.get("wording"), one.get("manifestation")]
            wordings.setdefault(codes[number - 1], []).extend(
                text for text in said if isinstance(text, str)
            )
    return wordings
