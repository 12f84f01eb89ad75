"""The index of notes against plain counting, and BM25 by its formula."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.plan.retrieval import TextScores, index_notes, words_of

# Half of the notes have "the", so it still tells something; "of" tells nothing.
TEXTS = {
    "1": "Chronic failure of the heart. Heart failure again.",
    "2": "Fracture of the radius.",
    "3": "Of no use",
    "4": "Failure of éclat",
}
WORDS = pl.Series(["fracture", "heart", "of", "radius", "the", "éclat"])


def lazy(texts: dict[str, str | None]) -> pl.LazyFrame:
    return pl.LazyFrame(
        {"note_id": list(texts), "text": list(texts.values())},
        schema={"note_id": pl.String, "text": pl.String},
    )


def test_words_are_letters_and_digits_in_lower_case():
    assert pl.select(words_of(pl.lit("CHF, NOS; éÉ-2"))).item().to_list() == [
        "chf",
        "nos",
        "éé",
        "2",
    ]


def test_index_by_hand():
    index = index_notes(lazy(TEXTS), WORDS)
    assert index.note_ids.to_list() == ["1", "2", "3", "4"]
    assert index.note_frequency.tolist() == [1, 1, 4, 1, 2, 1]
    assert index.first_passage.tolist() == [0, 2, 3, 4, 5]
    assert index.length.tolist() == [5, 3, 4, 3, 3]
    assert (index.start[:2].tolist(), index.end[:2].tolist()) == ([0, 30], [29, 50])
    # the heart | heart | fracture the radius | - | éclat; "of" is in every note.
    assert index.words.tolist() == [4, 1, 1, 0, 4, 3, 5]
    assert index.passage.tolist() == [0, 0, 1, 2, 2, 2, 4]
    assert index.first_word.tolist() == [0, 3, 6, 6, 7]
    assert index.lengths().tolist() == [8, 4, 3, 3]


def test_notes_without_text_are_empty_notes():
    index = index_notes(lazy({"1": None, "2": "", "3": "the heart"}), WORDS)
    assert index.lengths().tolist() == [0, 0, 2]
    assert TextScores(index).of(np.array([1])).tolist()[:2] == [0.0, 0.0]


def test_scores_are_bm25_with_the_length_of_the_whole_note():
    """k1 = 1.5, b = 0.75, Lucene: idf ln(1 + (N - n + 0.5) / (n + 0.5)); words that are not
    known count for the length."""
    scores = TextScores(index_notes(lazy(TEXTS), WORDS))
    lengths = [8, 4, 3, 3]
    mean = sum(lengths) / 4
    idf = math.log(1 + 3.5 / 1.5)
    expected = idf * 2 / (2 + 1.5 * (0.25 + 0.75 * 8 / mean))
    assert scores.of(np.array([1])) == pytest.approx([expected, 0, 0, 0])
    # "of" is in most notes: nothing.
    assert scores.of(np.array([2])).tolist() == [0.0] * 4
    assert scores.of(np.array([1, 2])) == pytest.approx([expected, 0, 0, 0])


@settings(deadline=None)
@given(
    st.lists(st.text(st.sampled_from("ab c.\n"), max_size=30), min_size=1, max_size=8),
    st.lists(st.sampled_from(["a", "b", "c", "ab", "zz"]), min_size=1, unique=True),
)
def test_a_larger_vocabulary_changes_no_score(texts, words):
    """A code more brings new words; the examples of other codes must not move for it."""
    notes = lazy({str(number): text for number, text in enumerate(texts)})
    small, large = pl.Series(sorted(words)), pl.Series(["a", "ab", "b", "bb", "c", "zz"])
    of_small, of_large = (TextScores(index_notes(notes, one)) for one in (small, large))
    for number, word in enumerate(small):
        there = large.to_list().index(word)
        assert of_small.of(np.array([number])) == pytest.approx(of_large.of(np.array([there])))


def test_batches_do_not_show(monkeypatch):
    whole = index_notes(lazy(TEXTS), WORDS)
    monkeypatch.setattr("longtail_icd.plan.retrieval.BATCH", 1)
    parts = index_notes(lazy(TEXTS), WORDS)
    for name in ("first_passage", "start", "end", "length", "first_word", "words", "passage"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name
    assert whole.headings.equals(parts.headings)
