"""From what a note says of its codes to its labels, and to what is wrong with them."""

from dataclasses import dataclass
from typing import Any

from longtail_icd.generation.evidence import Span, find_spans, folded
from longtail_icd.generation.screening.fidelity import Finding
from longtail_icd.generation.screening.judge import Judgement
from longtail_icd.generation.screening.words import Words

SUPPORTED = ("stated", "quoted")
CONTRADICTED = ("negated", "family", "historical")


@dataclass(frozen=True)
class Label:
    """A row of `generation/labels` without its request."""

    code: str
    role: str
    verdict: str
    evidence: list[Span]
    weight: float = 1.0

    def row(self, request_id: str) -> dict[str, Any]:
        """Return the row."""
        spans = [{"start": start, "end": end} for start, end in self.evidence]
        return {**vars(self), "request_id": request_id, "evidence": spans}


def plain_label(known: dict[str, Any], text: str) -> Label:
    """Return the label of a code, ``stated`` where one of its wordings stands, else ``not_found``.

    Format checks only, as for recipe ``paper``: nothing is made of negation, and every code stays
    a label.
    """
    wordings = [known["title"], known["wording"], *known.get("synonyms", [])]
    spans = find_spans(folded(text), wordings)
    return Label(known["code"], known["role"], "stated" if spans else "not_found", spans)


def _characters(places: list[Span], words: Words) -> list[Span]:
    """Return sorted spans of the text without one inside another."""
    kept: list[Span] = []
    for start, end in sorted(map(words.characters, places), key=lambda span: (span[0], -span[1])):
        if not kept or end > kept[-1][1]:
            kept.append((start, end))
    return kept


def judged_label(finding: Finding, judgement: Judgement, words: Words, *, relabel: bool) -> Label:
    """Return the label of a code.

    Words that state the code stand first, then a quote of the judge (``quoted``). With
    ``relabel`` a companion that the note contradicts, or that the judge denies, is ``dropped``:
    weight 0.
    """
    code, role = finding.known["code"], finding.known["role"]
    verdict, places = finding.verdict, finding.places
    if verdict != "stated" and code in judgement.quoted:
        verdict, places = "quoted", judgement.quoted[code]
    elif verdict == "not_found":
        verdict = judgement.denied.get(code, verdict)
    wrong = verdict in CONTRADICTED or (verdict == "not_found" and code in judgement.denied)
    evidence = _characters(places, words)
    if relabel and role == "companion" and wrong:
        return Label(code, role, "dropped", evidence, 0.0)
    return Label(code, role, verdict, evidence)


def extra_labels(extra: dict[str, list[Span]], words: Words) -> list[Label]:
    """Return labels for conditions outside the set that the note asserts."""
    return [
        Label(code, "extra", "extra", _characters(places, words)) for code, places in extra.items()
    ]
