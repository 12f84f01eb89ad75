"""Checks of a note's form: nothing that a note says about the patient matters here."""

import re

from longtail_icd.generation.requests import NO_ANSWER

WORD = re.compile(r"\w+")
NGRAM = 8
_REFUSAL = re.compile(
    r"\A\W*(?:i(?:'|’)?m sorry|i am sorry|sorry,|i apologi[sz]e|i (?:cannot|can(?:'|’)?t|am unable)"
    r"|as an ai\b|unfortunately, i\b)",
    re.IGNORECASE,
)
_TALK = re.compile(
    r"\A\W*(?:sure\b|certainly\b|of course\b|absolutely\b"
    r"|here(?:'s|’s| is| are)\b[^\n.]{0,40}\b(?:note|summary)\b)",
    re.IGNORECASE,
)
_CODE_TALK = re.compile(r"\bICD-?\s?(?:9|10)\b", re.IGNORECASE)

# The patterns below read lower-cased text. A refusal that the paper's checks do not know:
_DECLINES = re.compile(
    r"\A\W*(?:i(?:'|’)?m (?:really sorry|very sorry|unable|not able)"
    r"|i (?:will not|won(?:'|’)?t|am not able|do not feel)|it would (?:not be |be in)appropriate"
    r"|unfortunately,? (?:it is not possible|this request))"
)
# What a chat model says around a note, and what it wraps it in; looked for where a cue stands.
_CUES = (
    *("let me know if you", "i hope this", "feel free to ask", "word count:", "below is"),
    *("as requested", "assistant:", "user:", "system:", "<", "--", "fictional", "fictitious"),
    *("hypothetical", "synthetic", "generated", "simulated", "made up"),
)
_ARTEFACTS = re.compile(
    r"\b(?:let me know if you|i hope this (?:helps|meets)|feel free to ask|word count:)"
    r"|\bbelow is (?:the|a) (?:requested|discharge)\b"
    r"|^as requested, (?:here|a|the)\b[^\n]*\b(?:summary|note):"
    r"|^(?:assistant|user|system):|</?(?:answer|note|summary|output|response)>"
    r"|^\|[ :|-]*-{3,}[ :|-]*\|?[ \t]*$"
    r"|\b(?:fictional|fictitious|hypothetical|synthetic|generated|simulated)\b[^\n.]{0,40}"
    r"\b(?:summary|note|record|patient|purposes|details|case)\b"
    r"|\b(?:summary|note|record|details|case)\b[^\n.]{0,30}"
    r"\b(?:fictional|fictitious|synthetic|computer-generated|made up)\b",
    re.MULTILINE,
)
# [Patient Name], <Name>, {hospital_name}, XX/XX/XXXX, MM/DD/YYYY; not [**Name 5**], [H], [4.1].
_FIELD = (
    r"(?:name|date|dob|mrn|age|sex|gender|dose|hospital|doctor|physician|pcp|provider|address"
    r"|phone|medication|number|time|insert)"
)
_PLACEHOLDERS = [
    re.compile(rf"\[(?!\*)[^\]\n*]{{0,40}}\b{_FIELD}s?\b[^\]\n*]{{0,40}}\]"),
    re.compile(rf"<[^<>\n\d]{{0,30}}\b{_FIELD}\b[^<>\n]{{0,30}}>"),
    re.compile(r"\{[a-z_ ]{2,40}\}"),
    re.compile(r"xx[x/-](?:[x/-]*)\b"),
    re.compile(r"mm/dd/y{2,4}\b"),
    re.compile(r"dd/mm/y{2,4}\b"),
]
_BLANK = re.compile(r"_{3,}")
# Codes that no measurement looks like, and numbers that words or brackets mark as codes.
_CODE_NUMBERS = [
    re.compile(r"icd-?\s?(?:9|10)\b"),
    re.compile(r"(?<![\w-])[a-tv-z]\d[0-9ab]\.[0-9a-z]{1,4}(?!\w|\.\d)"),
    re.compile(r"\be\d{3}\.\d(?!\w|\.\d)"),
    re.compile(r"\bcode[sd]?(?: as)?[: ]+\d{2,3}\.\d{1,2}\b"),
    re.compile(r"diagnos[ei]s\b[^\n]{0,80}[\[(]\d{2,3}\.\d{1,2}[\])]"),
    re.compile(r"procedures?\b[^\n]{0,80}[\[(]\d{2,3}\.\d{1,2}[\])]"),
    re.compile(r"diagnos[ei]s:[ \t]*\d{3}\.\d{1,2}\b"),
]
# Words and marks that no note ends with.
ENDING = 200  # characters
_CUT = re.compile(
    r"(?:[,(/&:-]|\b(?:the|a|an|and|or|but|of|to|by|for|at|his|her|their|was|were|is|are|that|which"
    r"|who|as|from|due)|(?<!\bcame )\b(?:with|in)|\n[ \t]*\d+[.)])\s*\Z"
    r"|\([^()\n]*\Z"
)


def overlap(words: list[str], source_words: list[str]) -> float:
    """Return the share of a note's 8-grams of words that occur in its example note.

    0 for a note of fewer than 8 words. 1: every stretch of 8 words is copied.
    """
    starts = range(len(words) - NGRAM + 1)
    if not starts:
        return 0.0
    known = {tuple(source_words[at : at + NGRAM]) for at in range(len(source_words) - NGRAM + 1)}
    return sum(tuple(words[at : at + NGRAM]) in known for at in starts) / len(starts)


def words_of(text: str) -> list[str]:
    """Return the words of a text, lower-cased, punctuation aside."""
    return WORD.findall(text.lower())


def reasons_against(
    text: str,
    finish_reason: str,
    exemplar: str | None,
    *,
    min_words: int,
    max_words: int,
    max_source_overlap: float,
    written: str | None = None,
) -> list[str]:
    """Return why a cleaned note is rejected, by the checks that every recipe has.

    ``no_answer`` and ``empty`` stand alone; else any of ``refused``, ``preamble``, ``thoughts``,
    ``truncated``, ``broken_characters``, ``code_number``, ``too_short``, ``too_long``,
    ``near_copy``, for which real text around what was ``written`` does not count.
    """
    if finish_reason in NO_ANSWER:
        return ["no_answer"]
    words = words_of(text)
    refused = finish_reason == "content_filter" or _REFUSAL.match(text) is not None
    if not words:
        return ["refused" if refused else "empty"]
    copied = 0.0
    if exemplar and max_source_overlap < 1:
        own = words if written is None else words_of(written)
        copied = overlap(own, words_of(exemplar))
    checks = {
        "refused": refused,
        "preamble": _TALK.match(text) is not None,
        "thoughts": "<think>" in text.lower() or "</think>" in text.lower(),
        "truncated": finish_reason == "length",
        "broken_characters": "\ufffd" in text,
        "code_number": _CODE_TALK.search(text) is not None,
        "too_short": len(words) < min_words,
        "too_long": len(words) > max_words,
        "near_copy": copied > max_source_overlap,
    }
    return [reason for reason, found in checks.items() if found]


def count_marks(text: str, *, blanks_are_masks: bool = False) -> dict[str, int]:
    """Return how often a cleaned note shows each fault of form that a recipe may check for.

    Args:
        text: the note.
        blanks_are_masks: ``___`` stands for what was removed from real notes, as in MIMIC-IV.
    """
    blanks = 0 if blanks_are_masks else len(_BLANK.findall(text))
    lower = text.lower()
    cued = any(cue in lower for cue in _CUES)
    return {
        "declined": len(_DECLINES.findall(lower)),
        "artefacts": len(_ARTEFACTS.findall(lower)) if cued else 0,
        "placeholders": blanks + sum(len(one.findall(lower)) for one in _PLACEHOLDERS),
        "code_numerals": sum(len(one.findall(lower)) for one in _CODE_NUMBERS),
        "cut": len(_CUT.findall(lower[-ENDING:])),
    }
