"""Sentence frames, and discharge summaries put together from sentences."""

import random
from pathlib import Path
from typing import Any

import yaml

from longtail_icd.common.errors import UserError
from longtail_icd.generation.shards import pick

Prose = dict[str, Any]
PARTS = {"openings", "introductions", "sections", "evidence", "closings"}


def load_prose(path: str | Path) -> Prose:
    """Read the sentence frames; :class:`UserError` if a part is missing."""
    prose = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if missing := sorted(PARTS - set(prose)):
        raise UserError(f"{path}: missing part {missing[0]}")
    return prose


def masks(generator: random.Random) -> dict[str, Any]:
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


def inside(wording: str) -> str:
    """Return a wording as it stands inside a sentence.

    An abbreviation or a name in capitals stays as it is. Before: ``Heart failure``, ``MI``.
    After: ``heart failure``, ``MI``.
    """
    return wording if wording[1:2].isupper() else wording[:1].lower() + wording[1:]


def sentence(frame: str, wording: str, generator: random.Random) -> str:
    """Fill a frame. Before: ``# {wording}: better.`` and ``Heart failure``.

    After: ``# Heart failure: better.``
    """
    filled = frame.format(wording=inside(wording), **masks(generator))
    start = 2 if filled.startswith("# ") else 0
    return filled[:start] + filled[start : start + 1].upper() + filled[start + 1 :]


def section_of(known: dict[str, Any], prose: Prose, generator: random.Random) -> int:
    """Return the number of a code's section: one for its kind, for an anchor one of anchors."""
    sections = prose["sections"]
    fitting = [section for section in sections if section["kind"] == known["kind"]]
    if known["role"] == "anchor":
        fitting = [section for section in fitting if section["anchor"]] or fitting
    return sections.index(pick(fitting, generator))


def assembled(placed: dict[int, list[str]], prose: Prose, generator: random.Random) -> str:
    """Return a discharge summary of the sentences, each list under the number of its section."""
    parts = [pick(prose["openings"], generator).format(**masks(generator))]
    introduction = pick(prose["introductions"], generator).format(**masks(generator))
    # The first section is the history, and the introduction opens it.
    sections = placed | {0: [introduction, *placed.get(0, [])]}
    for index, section in enumerate(prose["sections"]):
        if index in sections:
            heading = pick(section["headings"], generator)
            parts.append(f"{heading} {' '.join(sections[index])}")
    parts.append(pick(prose["closings"], generator).format(**masks(generator)))
    return "\n".join(parts)
