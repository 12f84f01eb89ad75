"""Wording quotas: never too many titles, and short forms where there are any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.generation.prompts.short_forms import shortened
from longtail_icd.generation.prompts.wordings import draw_styles, is_abbreviation, word
from longtail_icd.generation.shards import generator_of

QUOTAS = {"title": 0.2, "abbreviation": 0.2, "indirect": 0.2}
SHARES = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(
    lambda shares: dict(zip(QUOTAS, (share / max(1, sum(shares)) for share in shares), strict=True))
)


def drawn(count, quotas=QUOTAS, request="r", seed=1):
    codes = [str(number) for number in range(count)]
    return draw_styles(codes, quotas, generator_of(request, "wording", seed))


@given(st.integers(1, 40), SHARES, st.integers(0, 999))
def test_every_code_has_one_style_and_no_quota_is_passed(count, quotas, seed):
    """Law: titles never above their share of a note; the others within one code of theirs."""
    styles = list(drawn(count, quotas, seed=seed).values())
    assert len(styles) == count
    assert styles.count("title") <= quotas["title"] * count + 1e-6
    for style in ("abbreviation", "indirect"):
        assert abs(styles.count(style) - quotas[style] * count) < 1 + 1e-6


def test_ten_codes_have_two_of_each_quota_and_four_synonyms():
    styles = sorted(drawn(10).values())
    assert styles == ["abbreviation"] * 2 + ["indirect"] * 2 + ["synonym"] * 4 + ["title"] * 2


def test_notes_of_one_code_keep_the_shares_over_many_notes():
    """Rounding must not abolish a quota: most recipes with the anchor alone have one code."""
    styles = [drawn(1, request=f"r{number}")["0"] for number in range(2000)]
    assert 0.17 < styles.count("indirect") / 2000 < 0.23
    assert 0.17 < styles.count("abbreviation") / 2000 < 0.23
    assert styles.count("title") == 0


def test_the_anchor_is_worded_like_any_other_code():
    anchors = [drawn(5, request=f"r{number}")["0"] for number in range(2000)]
    assert 0.17 < anchors.count("title") / 2000 < 0.23


@pytest.mark.parametrize(
    ("wording", "others"),
    [
        ("chf", ["Congestive heart failure, unspecified"]),
        ("acute chf", ["Acute heart failure"]),
        ("s/p cabg", ["Aortocoronary bypass status"]),
        ("nph", ["Normal pressure hydrocephalus"]),
        ("LAD", ["Localised adenopathy"]),
    ],
)
def test_short_forms_are_found(wording, others):
    assert is_abbreviation(wording, others)


@pytest.mark.parametrize(
    ("wording", "others"),
    [
        ("weak heart", ["Heart failure"]),
        ("ami nos, subsequent", ["Acute myocardial infarction"]),
        ("chf of the left and the right heart", ["Heart failure"]),
        ("fat pad", ["Localized adiposity"]),
        ("", ["Heart failure"]),
    ],
)
def test_words_in_full_and_catalogue_entries_are_none(wording, others):
    assert not is_abbreviation(wording, others)


def test_a_wording_follows_the_style_where_the_terminology_allows_it():
    title, synonyms = "Congestive heart failure", ["chf", "weak heart"]
    assert word("title", title, synonyms) == ("title", title)
    assert word("abbreviation", title, synonyms) == ("abbreviation", "chf")
    assert word("synonym", title, synonyms) == ("synonym", "weak heart")
    assert word("indirect", title, synonyms) == ("indirect", "weak heart")
    assert word("synonym", title, ["chf"]) == ("synonym", "chf")
    assert word("synonym", title, []) == ("synonym", title)


def test_a_code_without_a_short_form_gets_one_from_its_phrases_or_goes_by_a_synonym():
    title = "Chronic heart failure"
    assert word("abbreviation", title, ["weak heart"]) == ("abbreviation", "Chronic HF")
    assert word("abbreviation", "Weak heart", ["tired heart"]) == ("synonym", "tired heart")
    assert word("abbreviation", "Weak heart", []) == ("synonym", "Weak heart")


@pytest.mark.parametrize(
    ("wording", "short"),
    [
        ("Type 2 diabetes mellitus, stable", "T2DM, stable"),
        ("history of congestive heart failure", "h/o CHF"),
        ("fractured", None),
        ("weak heart", None),
    ],
)
def test_known_phrases_are_shortened_the_longest_first(wording, short):
    assert shortened(wording) == short
