"""Discharge summaries of the simulated hospital: sections, mentions of codes, filling."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from longtail_icd.common.errors import UserError
from longtail_icd.corpus.simulator.chance import Chances
from longtail_icd.corpus.simulator.chart import Chart
from longtail_icd.corpus.simulator.wording import Wording

WORDS_SIGMA = 0.47  # of the lognormal number of words per note (MIMIC-III)
SECOND_MENTION = 0.2  # share of labels that are mentioned twice
HEADING_WORDS = 38  # of a summary without its sections' contents, roughly
DENIALS = 0.5  # mean number of mentioned codes that the patient does not have
# Where a mention stands, by sort: history, course or list with these probabilities.
PLACES = ("history", "course", "list")
PLACE_SHARES = {
    "diagnosis": Chances((0.25, 0.30, 0.45)),
    "status": Chances((0.30, 0.15, 0.55)),
    "cause": Chances((0.60, 0.20, 0.20)),
    "procedure": Chances((0.10, 0.45, 0.45)),
    "drug": Chances((0.20, 0.45, 0.35)),
    "finding": Chances((0.35, 0.50, 0.15)),
    "device": Chances((0.10, 0.50, 0.40)),
    "technique": Chances((0.10, 0.60, 0.30)),
}
# Codes whose chapter says how they are written about: V and E codes of ICD-9-CM, their heirs.
FRAMES = {"V01-V91": "status", "E000-E999": "cause", "Z": "status"} | dict.fromkeys("VWXY", "cause")
# Which list a listed mention goes to; diagnoses go to one of two.
LISTS = {
    "procedure": "procedures",
    "device": "procedures",
    "technique": "procedures",
    "drug": "medications",
    "finding": "past",
    "status": "past",
    "cause": "past",
}


@dataclass(frozen=True)
class Mention:
    """A wording to be written: ``frame`` names the sentences it fits in."""

    text: str
    frame: str


@dataclass
class Stay:
    """What a summary's head says about an admission; dates as the masks show them."""

    admitted: str
    discharged: str
    born: str
    sex: str
    age: int
    sections: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def read_prose(path: str | Path) -> dict[str, Any]:
    """Read `resources/hospital_prose.yaml`.

    Raises:
        UserError: the file is missing.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; it belongs to the checkout")
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def frame_of(wording: Wording, kind: str, chapter: str) -> str:
    """Return which sentences a wording fits in: those of its evidence, or of its kind of code."""
    if wording.sort not in ("name", "abbreviation"):
        return wording.sort
    return "procedure" if kind == "procedure" else FRAMES.get(chapter, "diagnosis")


def pick(rng: np.random.Generator, sentences: list[str]) -> str:
    """Return one of the sentences by chance."""
    return sentences[rng.integers(len(sentences))]


def _write_mention(
    rng: np.random.Generator, prose: dict[str, Any], stay: Stay, mention: Mention
) -> None:
    place = PLACES[PLACE_SHARES[mention.frame].one(rng)]
    sentence = pick(rng, prose["mentions"][mention.frame][place])
    sentence = sentence.replace("{x}", mention.text).replace("{date}", stay.admitted)
    if place == "list":
        place = LISTS.get(mention.frame) or ("past", "diagnoses")[rng.integers(2)]
    stay.sections[place].append(sentence)


def _listed(lines: list[str]) -> str:
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))


def _assemble(rng: np.random.Generator, prose: dict[str, Any], stay: Stay) -> str:
    """Put the sections in the order and under the headings of a summary."""
    sections = stay.sections
    parts = [
        f"Admission Date:  [**{stay.admitted}**]       Discharge Date:  [**{stay.discharged}**]",
        f"Date of Birth:  [**{stay.born}**]       Sex:  {stay.sex}",
        f"Service: {pick(rng, prose['services'])}",
        f"Chief Complaint:\n{sections['complaint'][0]}",
    ]
    if sections["procedures"]:
        parts.append(f"Major Surgical or Invasive Procedure:\n{_listed(sections['procedures'])}")
    parts.append(f"History of Present Illness:\n{' '.join(sections['history'])}")
    if sections["past"]:
        parts.append(f"Past Medical History:\n{_listed(sections['past'])}")
    if sections["results"]:
        parts.append("Pertinent Results:\n" + "\n".join(sections["results"]))
    parts.append(f"Brief Hospital Course:\n{' '.join(sections['course'])}")
    if sections["medications"]:
        parts.append(f"Discharge Medications:\n{_listed(sections['medications'])}")
    if sections["diagnoses"]:
        parts.append(f"Discharge Diagnosis:\n{_listed(sections['diagnoses'])}")
    parts.append(f"Discharge Condition:\n{pick(rng, prose['conditions'])}")
    if sections["instructions"]:
        parts.append(f"Discharge Instructions:\n{' '.join(sections['instructions'])}")
    return "\n\n".join(parts) + "\n"


def _fill(rng: np.random.Generator, prose: dict[str, Any], stay: Stay, words: int) -> None:
    """Add sentences that say nothing until the note has about ``words`` words.

    When all have been used once, they are used again.
    """
    spare: list[tuple[str, str]] = []
    while words > 0:
        if not spare:
            spare = [(place, one) for place, ones in prose["fillers"].items() for one in ones]
            rng.shuffle(spare)
        place, sentence = spare.pop()
        lines = stay.sections[place]
        # Never before the first sentence of a section.
        lines.insert(rng.integers(min(1, len(lines)), len(lines) + 1), sentence)
        words -= len(sentence.split())


def write_summary(
    rng: np.random.Generator,
    prose: dict[str, Any],
    stay: Stay,
    mentions: list[Mention],
    denials: list[Mention],
    words: float,
    chart: Chart | None = None,
) -> str:
    """Write one discharge summary.

    Args:
        rng: source of chance.
        prose: as :func:`read_prose` returns it.
        stay: the head of the summary; its sections are filled here.
        mentions: what the summary says the patient has or had done.
        denials: what it says the patient does not have.
        words: length aimed at, in words; mentions are never cut for it.
        chart: what a long summary is filled with; without it, the few sentences of the prose.
    """
    complaint = pick(rng, prose["chief_complaints"])
    sex = {"M": "male", "F": "female"}[stay.sex]
    opening = pick(rng, prose["openings"]).format(age=stay.age, sex=sex, complaint=complaint)
    for number in rng.permutation(len(mentions)):
        _write_mention(rng, prose, stay, mentions[number])
    for denial in denials:
        sentence = pick(rng, prose["denials"][denial.frame]).replace("{x}", denial.text)
        place = ("history", "course")[rng.integers(2)]
        lines = stay.sections[place]
        lines.insert(rng.integers(len(lines) + 1), sentence)
    stay.sections["complaint"] = [complaint]
    stay.sections["history"].insert(0, opening)
    if not stay.sections["course"]:
        stay.sections["course"] = [pick(rng, prose["fillers"]["course"])]
    written = sum(len(line.split()) for lines in stay.sections.values() for line in lines)
    missing = round(words) - written - HEADING_WORDS
    if chart is None:
        _fill(rng, prose, stay, missing)
    else:
        chart.fill(rng, stay.sections, missing)
    return _assemble(rng, prose, stay)
