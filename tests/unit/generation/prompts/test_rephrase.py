"""Chunks of a real note: together the note, none too long, cut where the text allows it."""

import pytest
from generation_stage import code_sets
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.generation.prompts.rephrase import chunks_of, cloned

NOTE = "HPI: Cough. Fever.\nPMH: COPD. Asthma.\nCourse: He was given drugs. He went home.\n"


@given(st.text(st.sampled_from("aB.: \n1é"), max_size=120), st.integers(1, 9))
def test_chunks_are_the_note_and_none_is_too_long(text, limit):
    """Law: nothing of a note is lost, doubled or moved, and a word is never cut."""
    chunks = chunks_of(text, limit)
    assert "".join(chunks) == (text if text.strip() else "")
    assert all(1 <= len(chunk.split()) <= limit for chunk in chunks)
    assert [word for chunk in chunks for word in chunk.split()] == text.split()


def test_chunks_end_with_sections_once_half_full():
    assert chunks_of(NOTE, 5) == [
        "HPI: Cough. Fever.\n",
        "PMH: COPD. Asthma.\n",
        "Course: He was given drugs. ",
        "He went home.\n",
    ]
    assert chunks_of(NOTE, 100) == [NOTE]


def test_chunks_end_with_sentences():
    assert chunks_of("One two. Three four. Five six.", 4) == ["One two. Three four. ", "Five six."]


def test_a_sentence_that_is_too_long_is_cut_between_words():
    assert chunks_of("one two three four five", 2) == ["one two ", "three four ", "five"]


def test_only_requests_whose_codes_a_real_note_carries_are_rewritten(capsys):
    """The note of a swapped sibling says nothing of the anchor, so its label would be false."""
    sets = code_sets([("428.0", ["401.9"], "1"), ("V45.81", [], None)])
    kept = cloned(sets)
    assert kept["request_id"].to_list() == ["request0"] and kept["note_id"].to_list() == ["1"]
    assert "1 requests are left out" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_blank_note_has_no_chunks(text):
    assert chunks_of(text, 5) == []
