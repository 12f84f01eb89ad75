"""What the offline writer writes for a request, by what the request asks for."""

from longtail_icd.generation.offline.planned import grafted_text, plan_text, planned_text
from longtail_icd.generation.offline.prose import Prose
from longtail_icd.generation.offline.summary import description_text, summary_text
from longtail_icd.generation.requests import Draft, Request


def _text(request: Request, plan: str | None, prose: Prose) -> str:
    if plan is not None:
        return planned_text(plan, request.seed, prose)
    if request.before or request.after:
        return grafted_text(request, prose)
    if request.knowledge[0]["style"] == "description":
        return description_text(request)
    return summary_text(request, prose)


def draft_of(request: Request, prose: Prose) -> Draft:
    """Return the draft of a request: always the same one.

    Args:
        request: with one chat; the configuration allows no rewriting without a language model.
        prose: the sentence frames.
    """
    plan = plan_text(request, prose) if request.follow_up else None
    return Draft(
        request_id=request.request_id,
        text=request.note([_text(request, plan, prose)]),
        plan=plan,
        judgement=None,
        repaired=False,
        finish_reason="stop",
        model="offline",
        prompt_tokens=0,
        completion_tokens=0,
        attempts=1,
        endpoint=None,
    )
