"""Normalised words with their places, and what triggers say of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.generation.screening.loose import find_loosely, load_equivalents
from longtail_icd.generation.screening.phrases import PhraseIndex
from longtail_icd.generation.screening.status import Status, load_rules, verdict_of
from longtail_icd.generation.screening.words import Words, normalised_words, phrase_of
from screening_examples import RESOURCES

RULES = load_rules(RESOURCES / "context_rules.yaml")
EQUIVALENTS = load_equivalents(RESOURCES / "equivalents.yaml")


def test_words_lose_case_plural_and_punctuation():
    assert normalised_words("Arteries, Grafts; diabetes-mellitus") == [
        "artery",
        "graft",
        "diabete",
        "mellitus",
    ]
    assert phrase_of("Heart failures, acute") == " heart  failure  acute "
    assert phrase_of("...") == ""


@given(st.text(max_size=80))
def test_every_word_knows_its_characters(text):
    words = Words(text)
    assert len(words.spans) == len(words.words) == len(words.starts) - 1
    for at, (start, end) in enumerate(words.spans):
        assert words.characters((at, at + 1)) == (start, end)
        assert normalised_words(text[start:end]) == [words.words[at]] or not text.isascii()


@given(st.lists(st.sampled_from(["chf", "ab", "a", "b c"]), max_size=12))
def test_phrases_are_found_as_whole_words_and_where_they_stand(parts):
    words = Words(" ".join(parts))
    for phrase in ("chf", "a", "b c"):
        for first, last in words.find(phrase_of(phrase)):
            assert words.words[first:last] == phrase.split()
    assert len(words.find(phrase_of("chf"))) == parts.count("chf")


def test_adjacent_phrases_are_all_found_and_the_longest_wins():
    index = PhraseIndex([phrase_of(one) for one in ("heart", "heart failure", "acute")])
    found = index.find(Words("Acute heart failure heart"))
    assert found == [(0, 1, 2), (1, 3, 1), (3, 4, 0)]


def status(text, phrase):
    words = Words(text)
    return RULES.of(words.find(phrase_of(phrase))[0], RULES.flags(words), words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He has pneumonia.", Status(0)),
        ("No fever or pneumonia.", Status.NEGATED),
        ("No fever. Pneumonia seen.", Status(0)),
        ("No fever but pneumonia.", Status(0)),
        ("Pneumonia was ruled out.", Status.NEGATED),
        ("Not only pneumonia but sepsis.", Status(0)),
        ("Mother had pneumonia.", Status.FAMILY),
        ("Wife reports pneumonia.", Status(0)),
        ("Prior pneumonia.", Status.HISTORICAL),
        ("71 year old with pneumonia.", Status(0)),
        ("Pneumonia two years ago.", Status.HISTORICAL),
        ("History of pneumonia.", Status.HISTORICAL),
        ("Return if you have pneumonia.", Status.HYPOTHETICAL),
        ("No family history of pneumonia.", Status.NEGATED | Status.FAMILY),
    ],
)
def test_triggers_reach_as_far_as_their_clause(text, expected):
    assert status(text, "pneumonia") == expected


def test_history_of_what_stays_is_present():
    assert status("History of hypertension.", "hypertension") == 0
    assert status("History of breast cancer.", "breast cancer") == Status.HISTORICAL


def test_one_mention_that_it_is_there_is_enough():
    assert verdict_of([Status.NEGATED, Status(0)], past_counts=False) == "stated"
    assert verdict_of([Status.FAMILY, Status.NEGATED], past_counts=False) == "negated"
    assert verdict_of([Status.HISTORICAL], past_counts=False) == "historical"
    assert verdict_of([Status.HISTORICAL], past_counts=True) == "stated"
    assert verdict_of([Status.HYPOTHETICAL], past_counts=False) == "not_found"
    assert verdict_of([], past_counts=False) == "not_found"


def found(content, text):
    return find_loosely(content, Words(text), EQUIVALENTS)


def test_content_words_in_any_order_but_in_one_clause():
    content = EQUIVALENTS.content("Malignant neoplasm of prostate")
    assert content == {"cancer", "prostate"}
    assert found(content, "Prostate biopsy: carcinoma.") == [(0, 3)]
    assert found(content, "Prostate large. Carcinoma of lung.") == []
    assert found(frozenset(), "Prostate") == []
    assert EQUIVALENTS.content("Other specified disorder") == frozenset()
    assert EQUIVALENTS.content("Pain, unspecified") == frozenset()


@pytest.mark.parametrize("load", [load_rules, load_equivalents])
def test_missing_lists_are_named(tmp_path, load):
    with pytest.raises(UserError, match="no such list"):
        load(tmp_path / "none.yaml")
    (tmp_path / "part.yaml").write_text("ignored: []\ngeneric: []\n")
    with pytest.raises(UserError, match=r"part.yaml: list \w+ is missing"):
        load(tmp_path / "part.yaml")
