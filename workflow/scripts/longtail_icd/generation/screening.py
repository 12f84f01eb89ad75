"""Which notes may go on, and which of their codes they state.

Recipe ``paper``: format checks only, and every code of the set stays a label whether or not the
note states it in so many words.
"""

import json
import re
from typing import Any

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.generation.cleaning import strip_codes, strip_markup
from longtail_icd.generation.evidence import find_spans, folded
from longtail_icd.generation.writer import NO_ANSWER

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
) -> list[str]:
    """Return why a cleaned note is rejected; nothing for a good one.

    ``no_answer`` and ``empty`` stand alone; else any of ``refused``, ``preamble``, ``thoughts``,
    ``truncated``, ``broken_characters``, ``code_number``, ``too_short``, ``too_long``,
    ``near_copy``.
    """
    if finish_reason in NO_ANSWER:
        return ["no_answer"]
    words = words_of(text)
    refused = finish_reason == "content_filter" or _REFUSAL.match(text) is not None
    if not words:
        return ["refused" if refused else "empty"]
    copied = overlap(words, words_of(exemplar)) if exemplar and max_source_overlap < 1 else 0.0
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


def _labels(request_id: str, knowledge: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    plain = folded(text)
    rows = []
    for known in knowledge:
        wordings = [known["title"], known["wording"], *known.get("synonyms", [])]
        spans = find_spans(plain, wordings)
        rows.append(
            {
                "request_id": request_id,
                "code": known["code"],
                "role": known["role"],
                "verdict": "stated" if spans else "not_found",
                "evidence": [{"start": start, "end": end} for start, end in spans],
                "weight": 1.0,
            }
        )
    return rows


def screen_notes(
    prompts: pl.DataFrame,
    responses: pl.DataFrame,
    exemplars: dict[str, str | None],
    screening: dict[str, Any],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the tables `generation/notes` and `generation/labels` of one shard.

    Every request has a note, rejected or not, in the order of the prompts; only good notes have
    labels, so that no later stage can train on the others by mistake. Evidence counts characters
    of the cleaned text.

    Args:
        prompts: a table `generation/prompts`.
        responses: a table `generation/responses` with the same requests.
        exemplars: per request_id the whole text of its example notes, or nothing.
        screening: the recipe's limits: min_words, max_words, max_source_overlap.

    Raises:
        UserError: prompts and responses are not of the same requests.
    """
    both = prompts.join(responses, on="request_id", maintain_order="left")
    if not both.height == prompts.height == responses.height:
        raise UserError(
            f"the responses belong to other prompts ({prompts.height} prompts, {responses.height} "
            f"responses, {both.height} in both); run `snakemake -R generate_notes`"
        )
    notes, labels = [], []
    for row in both.iter_rows(named=True):
        text = strip_codes(strip_markup(row["text"]), row["codes"])
        exemplar = exemplars.get(row["request_id"])
        reasons = reasons_against(text, row["finish_reason"], exemplar, **screening)
        status = "rejected" if reasons else "ok"
        notes.append(row | {"text": text, "status": status, "reasons": reasons})
        if not reasons:
            labels += _labels(row["request_id"], json.loads(row["knowledge"]), text)
    return tuple(
        pl.DataFrame(rows, schema=TABLES[table].columns)
        for rows, table in ((notes, "generation/notes"), (labels, "generation/labels"))
    )


def summary(notes: pl.DataFrame, labels: pl.DataFrame) -> str:
    """Return a few words for the log: notes by status and reason, codes stated."""
    ok = notes.filter(pl.col("status") == "ok").height
    reasons = notes.explode("reasons", empty_as_null=False)["reasons"].drop_nulls().value_counts()
    counts = ", ".join(f"{reason} {count}" for reason, count in reasons.sort("reasons").iter_rows())
    stated = labels.filter(pl.col("verdict") == "stated").height
    return (
        f"{ok} of {notes.height} notes are ok{'; rejected: ' + counts if counts else ''}; "
        f"{stated} of {labels.height} codes are stated word for word"
    )
