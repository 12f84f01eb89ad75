"""The screen: every check that a recipe asks for, on one draft."""

import math
from dataclasses import dataclass
from typing import Any

from longtail_icd.generation.cleaning import strip_codes, strip_markup
from longtail_icd.generation.evidence import Span
from longtail_icd.generation.requests import Assessment, Draft, Request
from longtail_icd.generation.screening.answers import planned_wordings
from longtail_icd.generation.screening.context import ScreenContext
from longtail_icd.generation.screening.fidelity import Finding, Reading
from longtail_icd.generation.screening.format import count_marks, reasons_against
from longtail_icd.generation.screening.judge import Judgement, read_judgement
from longtail_icd.generation.screening.thresholds import Thresholds, read_thresholds
from longtail_icd.generation.screening.verdicts import (
    SUPPORTED,
    Label,
    extra_labels,
    judged_label,
    plain_label,
)
from longtail_icd.generation.screening.words import normalised_words

MARKS = ("declined", "artefacts", "placeholders", "code_numerals", "cut")


@dataclass(frozen=True)
class _Meaning:
    """What was found out about a note's codes."""

    findings: list[Finding]
    labels: list[Label]
    extra: dict[str, list[Span]]
    missing: list[Finding]


def cleaned(text: str, codes: list[str]) -> str:
    """Return an answer without what a language model leaves around a note, and code numbers."""
    return strip_codes(strip_markup(text), codes)


def written_part(request: Request, draft: Draft, text: str) -> str:
    """Return the part of a draft that was written, without real text around it.

    Args:
        request: says what is around it.
        draft: the answer.
        text: all of it, cleaned.
    """
    if not request.before and not request.after:
        return text
    end = len(draft.text) - len(request.after)
    return cleaned(draft.text[len(request.before) : end], request.codes)


def make_screen(settings: dict[str, Any], context: ScreenContext) -> "NoteScreen":
    """Return the screen of a recipe.

    Args:
        settings: the recipe's block ``screening``.
        context: its ``train`` may be null where no check needs the train notes.
    """
    return NoteScreen(read_thresholds(settings), context)


class NoteScreen:
    """Assesses drafts; pure: the same draft is always assessed alike."""

    def __init__(self, thresholds: Thresholds, context: ScreenContext):
        self.thresholds = thresholds
        self._context = context
        self._train = context.train

    def assess(self, request: Request, draft: Draft) -> Assessment:
        """Return the cleaned note, what is wrong with it, and its labels if it is ok."""
        text = cleaned(draft.text, request.codes)
        reasons = self._faults_of_form(request, draft, text)
        meaning = None
        if self.thresholds.by_meaning and text and not reasons:
            meaning = self._meaning(request, draft, text)
            reasons = self._faults_of_meaning(request, meaning)
        repairs = []
        if meaning and reasons and not draft.repaired:
            repairs = self._repairs(reasons, meaning)
        labels = []
        if not reasons:
            found = (
                meaning.labels if meaning else [plain_label(one, text) for one in request.knowledge]
            )
            labels = [label.row(request.request_id) for label in found]
        return Assessment(text, reasons, repairs, labels)

    def _faults_of_form(self, request: Request, draft: Draft, text: str) -> list[str]:
        limits = self.thresholds
        exemplar = self._context.exemplars.get(request.request_id)
        written = written_part(request, draft, text)
        reasons = reasons_against(
            text,
            draft.finish_reason,
            exemplar,
            min_words=limits.min_words,
            max_words=limits.max_words,
            max_source_overlap=limits.max_source_overlap,
            written=written,
        )
        values: dict[str, float] = {}
        if any(getattr(limits, mark) is not None for mark in MARKS):
            masks = self._train is not None and self._train.blanks_are_masks
            values |= count_marks(text, blanks_are_masks=masks)
        if limits.memorised is not None:
            values["memorised"] = self._train.ngrams.memorised(
                normalised_words(written), normalised_words(exemplar or "")
            )
        if limits.length is not None or limits.style is not None:
            rarity = self._train.style.rarity(text)
            values["length"] = rarity.pop("length")
            values["style"] = max(rarity.values())
        return reasons + self._above(values)

    def _above(self, values: dict[str, float]) -> list[str]:
        """Return the names of the checks whose threshold a value is above."""
        limits = {name: getattr(self.thresholds, name) for name in values}
        return [
            name for name, limit in limits.items() if limit is not None and values[name] > limit
        ]

    def _meaning(self, request: Request, draft: Draft, text: str) -> _Meaning:
        fidelity = self._train.fidelity
        reading = fidelity.read(text)
        codes = [known["code"] for known in request.knowledge]
        planned = planned_wordings(draft.plan, codes)
        findings = [
            fidelity.find(known, planned.get(known["code"], []), reading)
            for known in request.knowledge
        ]
        judgement = read_judgement(draft.judgement, codes, reading.words)
        relabel = self.thresholds.relabel
        labels = [judged_label(one, judgement, reading.words, relabel=relabel) for one in findings]
        unsupported = [
            finding
            for finding, label in zip(findings, labels, strict=True)
            if label.verdict not in (*SUPPORTED, "dropped")
        ]
        verified = self._verified(text) if unsupported else set()
        missing = [one for one in unsupported if one.known["code"] not in verified]
        extra = self._extra(codes, findings, judgement, reading)
        if relabel:
            labels += extra_labels(extra, reading.words)
        return _Meaning(findings, labels, extra, missing)

    def _verified(self, text: str) -> set[str]:
        """Return the codes that the verifier takes as supported."""
        if self.thresholds.verifier is None:
            return set()
        probabilities = self._context.verifier.probabilities(text)
        return {code for code, value in probabilities.items() if value >= self.thresholds.verifier}

    def _extra(
        self, codes: list[str], findings: list[Finding], judgement: Judgement, reading: Reading
    ) -> dict[str, list[Span]]:
        fidelity = self._train.fidelity
        covered = [place for finding in findings for place in finding.places]
        extra = fidelity.extra(codes, covered, reading)
        for condition, places in judgement.extra.items():
            for code in fidelity.extra(codes, [], fidelity.read(condition)):
                extra.setdefault(code, places)
        return extra

    def _faults_of_meaning(self, request: Request, meaning: _Meaning) -> list[str]:
        count = len(meaning.findings)
        missing = [finding.known["code"] for finding in meaning.missing]
        values = {
            "verbatim": len(_copied(meaning)) / count,
            # A note that does not support the code it was written for is worth nothing.
            "missing_code": math.inf if request.anchor in missing else len(missing) / count,
            "extra_code": 0 if self.thresholds.relabel else len(meaning.extra),
        }
        return self._above(values)

    def _repairs(self, reasons: list[str], meaning: _Meaning) -> list[str]:
        """Return in words what is to be corrected; titles only, never the note's own words."""
        title_of = self._train.fidelity.terms.title
        wanted = {
            "verbatim": (
                "Say in a clinician's words, not in the classification's",
                [finding.known["title"] for finding in _copied(meaning)],
            ),
            "missing_code": (
                "Make clear that the patient has, in this stay",
                [finding.known["title"] for finding in meaning.missing],
            ),
            "extra_code": (
                "Leave out what the patient does not have",
                [title_of[code] for code in meaning.extra],
            ),
        }
        return [f"{wanted[one][0]}: {'; '.join(wanted[one][1])}." for one in reasons]


def _copied(meaning: _Meaning) -> list[Finding]:
    """Return the codes that only the official title supports, where it was not asked for."""
    return [one for one in meaning.findings if one.copied and one.known.get("style") != "title"]
