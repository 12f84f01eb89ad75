"""A writer that needs no language model: prose from the request's own knowledge.

It knows nothing but what the request says and a list of sentence frames, so it cannot lean on
anything the simulated hospital knows. For demo, tests and as a baseline.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from longtail_icd.common.errors import UserError
from longtail_icd.common.progress import progress
from longtail_icd.generation.shards import pick, shuffled
from longtail_icd.generation.writer import Request, Response

# Share of codes that go by their official title although another wording was drawn.
TITLE_SHARE = 0.2
PARTS = {"openings", "introductions", "sections", "closings"}


def load_prose(path: str | Path) -> dict[str, Any]:
    """Read the sentence frames; :class:`UserError` if a part is missing."""
    prose = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if missing := sorted(PARTS - set(prose)):
        raise UserError(f"{path}: missing part {missing[0]}")
    return prose


def _masks(generator: random.Random) -> dict[str, Any]:
    """Return fresh values for the slots that stand for what de-identification hides."""

    def number(low: int, high: int) -> int:
        return low + int(generator.random() * (high - low + 1))

    year, month, day = number(2101, 2199), number(1, 12), number(1, 14)
    return {
        "date": f"[**{year}-{month}-{day}**]",
        "later": f"[**{year}-{month}-{day + number(1, 14)}**]",
        "name": f"[**Last Name (un) {number(100, 9999)}**]",
        "place": f"[**Hospital {number(1, 99)}**]",
        "age": number(30, 88),
        "days": number(2, 9),
    }


def _sentence(frame: str, wording: str, generator: random.Random) -> str:
    """Fill a frame. A wording keeps its case inside a sentence unless it is one title-case word.

    Before: ``Known {wording}.`` and ``Heart failure``. After: ``Known heart failure.``
    """
    # An abbreviation or a name in capitals stays as it is.
    inside = wording if wording[1:2].isupper() else wording[:1].lower() + wording[1:]
    sentence = frame.format(wording=inside, **_masks(generator))
    start = 2 if sentence.startswith("# ") else 0
    return sentence[:start] + sentence[start : start + 1].upper() + sentence[start + 1 :]


def _wording(known: dict[str, Any], generator: random.Random) -> str:
    return known["title"] if generator.random() < TITLE_SHARE else known["wording"]


def _place(
    known: dict[str, Any], sections: list[dict[str, Any]], generator: random.Random
) -> dict[str, Any]:
    """Return the section of a code: one for its kind, and for an anchor one that suits anchors."""
    fitting = [section for section in sections if section["kind"] == known["kind"]]
    if known["role"] == "anchor":
        fitting = [section for section in fitting if section["anchor"]] or fitting
    return pick(fitting, generator)


def summary_text(request: Request, prose: dict[str, Any]) -> str:
    """Return a short discharge summary: one sentence per code, in sections."""
    generator = random.Random(request.seed)
    placed: dict[int, list[str]] = {}
    # Frames are dealt from a shuffled deck per section, so that neighbours differ.
    decks: dict[int, list[str]] = {}
    for known in shuffled(request.knowledge, generator):
        index = prose["sections"].index(_place(known, prose["sections"], generator))
        if not decks.get(index):
            decks[index] = shuffled(prose["sections"][index]["sentences"], generator)
        wording = _wording(known, generator)
        placed.setdefault(index, []).append(_sentence(decks[index].pop(), wording, generator))
    parts = [pick(prose["openings"], generator).format(**_masks(generator))]
    introduction = pick(prose["introductions"], generator).format(**_masks(generator))
    # The first section is the history, and the introduction opens it.
    placed.setdefault(0, []).insert(0, introduction)
    for index, section in enumerate(prose["sections"]):
        if index in placed:
            heading = pick(section["headings"], generator)
            parts.append(f"{heading} {' '.join(placed[index])}")
    parts.append(pick(prose["closings"], generator).format(**_masks(generator)))
    return "\n".join(parts)


def description_text(request: Request) -> str:
    """Return title and synonyms of each code, concatenated: the baseline."""
    return "\n".join(
        ". ".join([known["title"], *known["synonyms"]]) + "." for known in request.knowledge
    )


class OfflineWriter:
    """Writes deterministic prose: the same request always gets the same note."""

    def __init__(self, prose: dict[str, Any]):
        self.prose = prose

    def _text(self, request: Request) -> str:
        # Only the description template hands over all synonyms.
        if all("synonyms" in known for known in request.knowledge):
            return description_text(request)
        return summary_text(request, self.prose)

    def write(self, requests: list[Request]) -> Iterator[Response]:
        """Yield the response to each request."""
        for request in progress(requests, len(requests), "notes"):
            text = self._text(request)
            yield Response(request.request_id, text, "stop", "offline", 0, 0, 1, None)
