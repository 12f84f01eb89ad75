"""Words that a label looked at, found again in the note as it was written."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.corpus.text_recipes import TEXT_RECIPES
from longtail_icd.generation.evidence import folded
from longtail_icd.prediction.passages import find_passages, word_weights
from longtail_icd.prediction.preparation import CHARACTERS_PER_TOKEN, find_words, prepare
from longtail_icd.training.tokenization import token_ids
from transformers import AutoTokenizer

TEXT = "acute on chronic chf today"
WORDS = [(0, 5), (6, 8), (9, 16), (17, 20), (21, 26)]


def found(weights, most=3, words=WORDS):
    passages = find_passages(np.array(weights), words, TEXT, most)
    return [(one.text, one.attention) for one in passages]


def test_words_with_half_of_the_attention_are_the_passages():
    assert found([0.4, 0.0, 0.4, 0.2, 0.0]) == [("acute on chronic", 0.8)]
    assert found([0.3, 0.1, 0.1, 0.3, 0.2]) == [("acute", 0.3), ("chf", 0.3)]
    assert found([0.0, 0.0, 0.0, 0.6, 0.4]) == [("chf", 0.6)]


def test_the_best_passages_are_kept_in_the_order_of_the_text():
    assert found([0.3, 0.0, 0.0, 0.0, 0.28], most=1) == [("acute", 0.3)]
    assert found([0.2, 0.1, 0.1, 0.1, 0.3]) == [("acute", 0.2), ("today", 0.3)]
    assert found([0.4, 0.0, 0.4, 0.2, 0.0], most=0) == []


def test_a_label_that_looked_at_marks_alone_has_no_passage():
    weights = word_weights(np.array([0.7, 0.3]), np.array([-1, -1]), 5)
    assert found(weights) == []
    assert find_passages(np.zeros(0), [], "", 3) == []


def test_a_word_that_is_not_in_the_note_is_in_no_passage():
    assert found([0.9, 0.0, 0.0, 0.1, 0.0], words=[(0, 0), *WORDS[1:]]) == []


def test_a_word_has_the_attention_of_its_tokens():
    weights = word_weights(np.array([0.1, 0.2, 0.3, 0.4]), np.array([-1, 0, 0, 2]), 3)
    assert weights == pytest.approx([0.5, 0.0, 0.4])


@given(st.lists(st.floats(0, 1, width=16), min_size=5, max_size=5), st.integers(1, 4))
def test_passages_are_parts_of_the_text_that_do_not_overlap(weights, most):
    passages = find_passages(np.array(weights), WORDS, TEXT, most)
    assert len(passages) <= most
    ends = [end for one in passages for end in (one.start, one.end)]
    assert ends == sorted(ends)
    assert all(TEXT[one.start : one.end] == one.text != "" for one in passages)
    assert sum(one.attention for one in passages) <= sum(weights) + 1e-3


NOTE = st.text(st.sampled_from("aB7 .,-_\n(Ä"), max_size=40)


@settings(deadline=None)
@given(NOTE, st.sampled_from(["mullenbach", "edin"]))
def test_every_word_of_a_recipe_is_found_in_the_note_in_order(written, recipe):
    prepared = pl.select(TEXT_RECIPES[recipe](pl.lit(written))).item()
    spans = find_words(prepared, written)
    assert [folded(written)[start:end] for start, end in spans] == prepared.split()
    ends = [end for span in spans for end in span]
    assert ends == sorted(ends)


def test_a_word_whose_lower_case_is_longer_is_left_out_and_the_next_is_found():
    written = "İzmir fever"
    prepared = pl.select(TEXT_RECIPES["mullenbach"](pl.lit(written))).item()
    assert find_words(prepared, written) == [(0, 0), (6, 11)]


@pytest.fixture(scope="module")
def tokenizer(trained):
    return AutoTokenizer.from_pretrained(trained)


@pytest.mark.parametrize(
    ("recipe", "written", "words"),
    [
        ("raw", "Typhoid on WARD.", ["Typhoid", "on", "WARD."]),
        ("mullenbach", "Typhoid (3) on WARD.", ["Typhoid", "on", "WARD"]),
        ("edin", "Typhoid, 3 on WARD.", ["Typhoid", "on", "WARD"]),
    ],
)
def test_tokens_lead_back_to_the_words_as_written(recipe, written, words, tokenizer):
    (one,) = prepare([written], TEXT_RECIPES[recipe], tokenizer, 64)
    assert [written[start:end] for start, end in one.words] == words
    assert one.word_of_token[0] == one.word_of_token[-1] == -1
    tokens = {}
    for token, word in zip(one.ids, one.word_of_token, strict=True):
        tokens.setdefault(int(word), []).append(int(token))
    prepared = pl.select(TEXT_RECIPES[recipe](pl.lit(written))).item()
    for number, word in enumerate(prepared.split()):
        assert tokenizer.decode(tokens[number]).strip() == word.lower()
    assert one.ids.tolist() == token_ids([prepared], tokenizer, 64)[0]
    assert not one.cut


def test_a_long_note_is_cut_as_in_training_and_never_looked_at_whole(tokenizer):
    long = "ward " * 100
    endless = "x" * (CHARACTERS_PER_TOKEN * 16) + " fever"
    notes = prepare([long, endless, "ward"], TEXT_RECIPES["raw"], tokenizer, 16)
    assert [one.cut for one in notes] == [True, True, False]
    assert notes[0].ids.tolist() == token_ids([long], tokenizer, 16)[0]
    assert not re.search("fever", endless[slice(*notes[1].words[-1])])
