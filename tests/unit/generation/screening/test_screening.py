"""Cleaning, screening and evidence of notes: hand-made notes, one fault each."""

import json

import polars as pl
import pytest
from generation_stage import PAPER, prompts_table, request, table
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.generation.cleaning import strip_codes, strip_markup
from longtail_icd.generation.evidence import find_spans, folded
from longtail_icd.generation.requests import drafts_of, requests_of
from longtail_icd.generation.screening.context import ScreenContext
from longtail_icd.generation.screening.format import overlap, reasons_against, words_of
from longtail_icd.generation.screening.screen import make_screen
from longtail_icd.generation.screening.tables import screen_notes, summary

GOOD = "The patient was admitted with chf and did well on the ward. " * 5


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Sure, here is the note:\n```\n**Service:** Medicine\n```", "Service: Medicine"),
        ("Here is the discharge summary:\n\nAdmitted.", "Admitted."),
        ("<think>Which codes?\n</think>\nAdmitted.", "Admitted."),
        ("## Course\n**Stable**", "Course\nStable"),
        ("# CHF: stable", "# CHF: stable"),
        ("Seen on [**2151-7-16**] by [**Name 5**].", "Seen on [**2151-7-16**] by [**Name 5**]."),
        ("Here is a man who fell.", "Here is a man who fell."),
        ("Surely ill.\nAdmitted.", "Surely ill.\nAdmitted."),
    ],
)
def test_markup_goes_and_the_note_stays(before, after):
    assert strip_markup(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CHF (428.0), cath [ICD-9: 38.93].", "CHF, cath."),
        ("CHF 428.0 and bypass V45.81.", "CHF and bypass."),
        ("CHF (428.0, V45.81) noted", "CHF noted"),
        ("ICD-9 code 38.93 done", " done"),
        ("codes: 428.0", ""),
        ("Temperature 38.93, sodium 1428.0, ratio 428.05", None),
        ("INR (38.9)", None),
        ("Barcode 38.93x", None),
    ],
)
def test_own_code_numbers_go_and_measurements_stay(before, after):
    codes = ["428.0", "38.93", "V45.81"]
    assert strip_codes(before, codes) == (before if after is None else after)
    assert strip_codes(before, []) == before


@pytest.mark.parametrize(
    ("text", "finish_reason", "reasons"),
    [
        (GOOD, "stop", []),
        (GOOD, "", []),
        ("", "stop", ["empty"]),
        (" ... ", "stop", ["empty"]),
        ("", "content_filter", ["refused"]),
        ("", "error", ["no_answer"]),
        ("", "invalid", ["no_answer"]),
        (GOOD, "length", ["truncated"]),
        ("I'm sorry, but I can't write this. " + GOOD, "stop", ["refused"]),
        ("As an AI model I would rather not. " + GOOD, "stop", ["refused"]),
        ("Certainly! A note: " + GOOD, "stop", ["preamble"]),
        ("Here is a discharge summary for you. " + GOOD, "stop", ["preamble"]),
        ("<think>never closed " + GOOD, "stop", ["thoughts"]),
        (GOOD + "caf\ufffd", "stop", ["broken_characters"]),
        (GOOD + "ICD-10 I50.9", "stop", ["code_number"]),
        ("Admitted with chf.", "stop", ["too_short"]),
        ("word " * 2001, "length", ["truncated", "too_long"]),
        ("The pt said I am sorry. " + GOOD, "stop", []),
    ],
)
def test_each_fault_has_its_reason(text, finish_reason, reasons):
    assert reasons_against(text, finish_reason, None, **PAPER) == reasons


def test_overlap_counts_stretches_of_eight_words():
    source = list("abcdefghijkl")
    assert overlap(list("abcdefgh"), source) == 1
    assert overlap(list("abcdefghXY"), source) == pytest.approx(1 / 3)
    assert overlap(list("abcdefg"), source) == 0
    assert overlap(list("hgfedcba"), source) == 0
    assert overlap(list("abcdefgh"), list("abc")) == 0


@given(st.lists(st.sampled_from("ab"), max_size=30), st.lists(st.sampled_from("ab"), max_size=30))
def test_overlap_is_a_share_and_one_with_itself(words, source):
    assert 0 <= overlap(words, source) <= 1
    assert overlap(words, words) == (1 if len(words) >= 8 else 0)


def test_a_near_copy_of_the_example_is_rejected():
    words = [f"w{number}" for number in range(60)]
    example = " ".join(words)
    half = " ".join(words[:40] + [f"new{number}" for number in range(20)])
    assert reasons_against(example.upper(), "stop", example, **PAPER) == ["near_copy"]
    assert reasons_against(half, "stop", example, **PAPER) == ["near_copy"]
    limits = {**PAPER, "max_source_overlap": 0.7}
    assert reasons_against(half, "stop", example, **limits) == []
    assert reasons_against(example, "stop", example, **{**PAPER, "max_source_overlap": 1.0}) == []


def test_spans_are_whole_words_any_case_and_any_white_space():
    text = "CHF, acute\nchf; chfs, xchf and chf"
    spans = find_spans(folded(text), ["chf", "Acute CHF"])
    assert [text[start:end] for start, end in spans] == ["CHF", "acute\nchf", "chf"]
    assert find_spans(folded(text), ["", "sepsis"]) == []


def test_spans_count_characters_even_where_lower_case_is_longer():
    text = "İİ with CHF"
    ((start, end),) = find_spans(folded(text), ["chf"])
    assert text[start:end] == "CHF"


@given(st.text(max_size=60))
def test_folding_keeps_every_offset(text):
    assert len(folded(text)) == len(text)


def knowledge(*codes):
    wordings = {"428.0": "chf", "401.9": "htn"}
    return json.dumps(
        [
            {
                "code": code,
                "role": "companion" if number else "anchor",
                "kind": "diagnosis",
                "title": f"Title of {code}",
                "wording": wordings[code],
            }
            for number, code in enumerate(codes)
        ]
    )


def prompts():
    known = json.loads(knowledge("428.0", "401.9"))
    codes = ["401.9", "428.0"]
    return prompts_table([request(f"r{i}", codes=codes, knowledge=known) for i in range(2)])


def responses(*texts):
    return table(
        "generation/responses",
        [
            {
                "request_id": f"r{number}",
                "text": text,
                "finish_reason": "stop",
                "model": "m",
                "prompt_tokens": 3,
                "completion_tokens": 4,
                "attempts": 1,
                "endpoint": None,
            }
            for number, text in enumerate(texts)
        ],
    )


def screened(prompts, responses, exemplars):
    screen = make_screen(PAPER, ScreenContext(exemplars))
    return screen_notes(requests_of(prompts), drafts_of(responses), screen)


def test_screening_tables():
    notes, labels = screened(prompts(), responses("```\n" + GOOD + "```", "No."), {})
    assert notes["status"].to_list() == ["ok", "rejected"]
    assert notes["reasons"].to_list() == [[], ["too_short"]]
    assert notes["text"][0] == GOOD.strip()
    # Only good notes have labels; an unstated code stays a label, with its verdict.
    assert labels.select("request_id", "code", "role", "verdict", "weight").rows() == [
        ("r0", "428.0", "anchor", "stated", 1.0),
        ("r0", "401.9", "companion", "not_found", 1.0),
    ]
    for span in labels["evidence"][0]:
        assert notes["text"][0][span["start"] : span["end"]] == "chf"
    assert len(labels["evidence"][0]) == 5
    assert "1 of 2 notes are ok; rejected: too_short 1; 1 of 2 codes" in summary(notes, labels)


def test_example_of_the_request_decides_about_near_copies():
    texts = (GOOD, "Another note with words of its own, " * 6)
    notes, _ = screened(prompts(), responses(*texts), {"r0": GOOD})
    assert notes["reasons"].to_list() == [["near_copy"], []]


def test_responses_to_other_prompts_are_an_error():
    with pytest.raises(UserError, match="other prompts"):
        screened(prompts(), responses(GOOD), {})


def test_empty_shards_give_empty_tables():
    notes, labels = screened(prompts().clear(), responses(), {})
    assert notes.is_empty() and labels.is_empty()
    assert "0 of 0" in summary(notes, labels)
    assert words_of("Don't, X-ray") == ["don", "t", "x", "ray"]
    assert notes.schema["reasons"] == pl.List(pl.String)
