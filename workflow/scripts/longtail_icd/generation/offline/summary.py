"""Notes written in one step: a short summary, and the baseline of titles and synonyms."""

import random
from typing import Any

from longtail_icd.generation.offline.prose import Prose, assembled, section_of, sentence
from longtail_icd.generation.requests import Request
from longtail_icd.generation.shards import shuffled

# Share of codes that go by their official title although another wording was drawn.
TITLE_SHARE = 0.2


def _wording(known: dict[str, Any], generator: random.Random) -> str:
    return known["title"] if generator.random() < TITLE_SHARE else known["wording"]


def summary_text(request: Request, prose: Prose) -> str:
    """Return a short discharge summary: one sentence per code, in sections."""
    generator = random.Random(request.seed)
    placed: dict[int, list[str]] = {}
    # Frames are dealt from a shuffled deck per section, so that neighbours differ.
    decks: dict[int, list[str]] = {}
    for known in shuffled(request.knowledge, generator):
        index = section_of(known, prose, generator)
        if not decks.get(index):
            decks[index] = shuffled(prose["sections"][index]["sentences"], generator)
        wording = _wording(known, generator)
        placed.setdefault(index, []).append(sentence(decks[index].pop(), wording, generator))
    return assembled(placed, prose, generator)


def description_text(request: Request) -> str:
    """Return title and synonyms of each code, concatenated: the baseline."""
    return "\n".join(
        ". ".join([known["title"], *known["synonyms"]]) + "." for known in request.knowledge
    )
