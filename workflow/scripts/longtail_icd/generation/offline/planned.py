"""Notes written in two steps, and evidence for a real note: sentences that keep to the wordings.

The writer knows no drug and no laboratory value. Indirect evidence is a sentence that speaks of
one and names what it was for.
"""

import json
import random
from typing import Any

from longtail_icd.generation.offline.prose import Prose, assembled, inside, section_of, sentence
from longtail_icd.generation.requests import Request
from longtail_icd.generation.shards import pick, shuffled

GRAFTED = 2  # at most so many sentences


def _said(
    known: dict[str, Any], section: dict[str, Any], prose: Prose, generator: random.Random
) -> tuple[str, str]:
    """Return the kind of evidence for a code and the sentence that gives it."""
    evidence, frames = "statement", section["sentences"]
    if known["style"] == "indirect":
        fitting = [one for one in prose["evidence"] if one["kind"] == known["kind"]]
        chosen = pick(fitting, generator)
        evidence, frames = chosen["evidence"], chosen["sentences"]
    return evidence, sentence(pick(frames, generator), known["wording"], generator)


def plan_text(request: Request, prose: Prose) -> str:
    """Return the plan of a note as JSON; see docs/prompts.md."""
    generator = random.Random(request.seed)
    numbered = list(enumerate(request.knowledge, start=1))
    items = []
    for number, known in shuffled(numbered, generator):
        section = prose["sections"][section_of(known, prose, generator)]
        evidence, said = _said(known, section, prose, generator)
        items.append(
            {
                "item": number,
                "manifestation": said,
                "evidence": evidence,
                "section": section["headings"][0],
                "status": section["status"],
                "wording": inside(known["wording"]),
            }
        )
    return json.dumps({"items": items}, ensure_ascii=False)


def planned_text(plan: str, seed: int, prose: Prose) -> str:
    """Return the summary that a plan of :func:`plan_text` asks for."""
    numbers = {section["headings"][0]: at for at, section in enumerate(prose["sections"])}
    placed: dict[int, list[str]] = {}
    for item in json.loads(plan)["items"]:
        placed.setdefault(numbers[item["section"]], []).append(item["manifestation"])
    return assembled(placed, prose, random.Random(f"{seed} prose"))


def grafted_text(request: Request, prose: Prose) -> str:
    """Return one or two sentences of evidence for the anchor."""
    generator = random.Random(request.seed)
    anchor = request.knowledge[0]
    sections = [one for one in prose["sections"] if one["kind"] == anchor["kind"]]
    count = 1 + int(generator.random() * GRAFTED)
    chosen = shuffled(sections, generator)[:count]
    return " ".join(_said(anchor, section, prose, generator)[1] for section in chosen)
