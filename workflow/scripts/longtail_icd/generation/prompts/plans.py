"""The plan of a two-step note, as a writer answers it: JSON, or nearly.

``{"items": [{"item": 1, "manifestation": …, "evidence": …, "section": …, "status": …,
"wording": …}]}``: one entry per code; item counts the request's knowledge from 1.
"""

import json
from typing import Any


def items_of(plan: str) -> list[dict[str, Any]]:
    """Return the entries of a plan that have an item number; none for what is no plan.

    What a model says around the object, a code fence for instance, does not matter.

    Before: ``Here: {"items": [{"item": 1, "wording": "chf"}, {}]}``. After: the first entry.
    """
    start, end = plan.find("{"), plan.rfind("}") + 1
    try:
        items = json.loads(plan[start:end])["items"]
        return [one for one in items if isinstance(one["item"], int)]
    except (ValueError, KeyError, TypeError):
        return []


def wordings_in(plan: str, knowledge: list[dict[str, Any]]) -> dict[str, str]:
    """Return by code the words that, by its plan, the note contains.

    Args:
        plan: the answer to the first step.
        knowledge: of the request.
    """
    return {
        knowledge[one["item"] - 1]["code"]: one["wording"]
        for one in items_of(plan)
        if 1 <= one["item"] <= len(knowledge) and isinstance(one.get("wording"), str)
    }
