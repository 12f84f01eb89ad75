"""Memorised n-grams, near-duplicates, style: what is compared with other notes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.generation.screening.duplicates import AnchorDuplicates, near_duplicates
from longtail_icd.generation.screening.ngrams import BOILERPLATE_NOTES, SeenNgrams, ngram_hashes
from longtail_icd.generation.screening.style import FEATURES, Style, measure
from screening_examples import draft, request, screen


def words(prefix, count):
    return [f"{prefix}{at}" for at in range(count)]


def test_hashes_are_of_stretches_and_the_same_everywhere():
    assert ngram_hashes(["a", "b"], 3).tolist() == []
    assert len(set(ngram_hashes(words("a", 20), 3).tolist())) == 18
    both = ngram_hashes(["x", *words("a", 5)], 3)
    assert both[1:].tolist() == ngram_hashes(words("a", 5), 3).tolist()
    # A change of these is a change of every figure: seeds and thresholds would have to be reset.
    assert int(ngram_hashes(["chf"], 1)[0]) == 8264138598235534998


def test_share_of_memorised_ngrams_by_hand():
    seen = SeenNgrams.of([words("t", 30)])
    # 20 words are 8 n-grams; those of the train note's first 16 words are 4.
    assert seen.memorised([*words("t", 16), *words("n", 4)], []) == 0.5
    assert seen.memorised(words("t", 30), []) == 1
    assert seen.memorised(words("n", 30), []) == 0
    assert seen.memorised(words("n", 30), words("n", 30)) == 1
    assert seen.memorised(words("t", 12), []) == 0


def test_what_many_notes_say_is_no_ones():
    notes = [[*words("same", 14), *words(f"own{at}", 14)] for at in range(BOILERPLATE_NOTES)]
    assert SeenNgrams.of(notes).memorised(words("same", 14), []) == 0
    assert SeenNgrams.of(notes[1:]).memorised(words("same", 14), []) == 1
    # The exemplar's boilerplate does not count either.
    assert SeenNgrams.of(notes).memorised(words("same", 14), words("same", 14)) == 0


@given(st.permutations(range(6)), st.integers(1, 60))
def test_order_of_train_notes_does_not_matter_and_memory_is_bounded(order, most):
    notes = [words(f"n{at % 4}x", 20) for at in range(6)]
    one = SeenNgrams.of(notes, most)
    other = SeenNgrams.of([notes[at] for at in order], most)
    assert one.rate == other.rate
    assert np.array_equal(one.known, other.known)
    assert len(one.known) + len(one.boilerplate) <= most


def test_sampled_share_is_right_on_average():
    train = words("t", 4000)
    seen = SeenNgrams.of([train], 1000)
    assert seen.rate == 4
    half = [*train[:2000], *words("n", 2000)]
    assert seen.memorised(half, []) == pytest.approx(0.5, abs=0.05)


def test_first_of_near_duplicates_stays():
    text = " ".join(words("a", 60))
    near = text.replace("a30", "b30")
    other = " ".join(words("c", 60))
    assert near_duplicates([text, other, near, other], 0.5) == [False, False, True, True]
    seen = AnchorDuplicates(0.5)
    assert [seen.seen(one) for one in (text, near, other)] == [False, True, False]
    off = AnchorDuplicates(None)
    assert [off.seen(text), off.seen(text)] == [False, False]


def test_features_by_hand():
    length, abbreviations, numerals, ratio = measure("HTN seen, BP 120/80 and pt ok pt")
    assert length == pytest.approx(np.log(8))
    assert abbreviations == pytest.approx(100 * 4 / 8)
    assert numerals == pytest.approx(100 / 8)
    assert ratio == pytest.approx(7 / 8)


def test_rarity_counts_interquartile_ranges_beyond_the_quartiles():
    style = Style.of([np.full(len(FEATURES), value) for value in (0, 1, 2, 3, 4)])
    rarity = style.rarity("word " * 2981)  # log of 2981 words is 8.0; quartiles 1 and 3
    assert rarity["length"] == pytest.approx((8 - 3) / 2, abs=0.01)
    assert Style.of([]).rarity("anything") == dict.fromkeys(FEATURES, 0.0)


def test_real_text_around_what_is_written_is_not_memorised():
    train = "the quick brown fox went over the lazy dog while the hens were asleep in the yard"
    checked = screen({"memorised": 0.2}, [train])
    own = "A note of its own about a man who came with cough and went home"
    whole = f"{train}\n{own}"
    graft = request(["135"], before=f"{train}\n")
    assert checked.assess(graft, draft(whole)).reasons == []
    assert checked.assess(request(["135"]), draft(whole)).reasons == ["memorised"]
