"""Passages, headings, and what of a note is shown."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.plan.excerpts import (
    headings_of,
    join_neighbours,
    passages_of,
    pick_passages,
    skeletons,
)


def cut(text: str) -> list[str]:
    """The passages of a text, by their spans."""
    frame = passages_of(pl.Series([text]))
    return [text[start:end] for start, end in frame.select("start", "end").iter_rows()]


def test_passages_are_sentences_list_items_and_labelled_lines():
    """A number with a point ends no sentence, and a line that is only wrapped no passage."""
    text = "He had 1.5 mg\nof it. It got worse.\n\nMeds:\n1. aspirin\n2. statin\nSex: F"
    assert [passage.strip() for passage in cut(text) if passage.strip()] == [
        "He had 1.5 mg\nof it.",
        "It got worse.",
        "Meds:",
        "1. aspirin",
        "2. statin",
        "Sex: F",
    ]


@given(st.lists(st.text(st.sampled_from("Aaé1.:! \n-\x00"), max_size=40), min_size=1, max_size=4))
def test_spans_cover_a_text_in_order_but_for_single_characters_between(texts):
    """Spans are characters of the text itself, whatever bytes it takes, also in a later row."""
    frame = passages_of(pl.Series(texts))
    for row, text in enumerate(texts):
        own = frame.filter(row=row)
        assert own["start"][0] == 0 and own["end"][-1] == len(text)
        assert (own["start"][1:] == own["end"][:-1] + 1).all()
        for passage, start, end in own.select("passage", "start", "end").iter_rows():
            assert text[start:end] == passage


def headings(text: str) -> list[str]:
    return pl.select(headings_of(pl.lit(text))).item().to_list()


def test_headings_stand_alone_on_their_line():
    text = (
        "Chief Complaint:\nchest pain\nSex: F\nPHYSICAL EXAM:  \nno heading:\nHe said:no\n"
        "Chief Complaint:\n"
    )
    assert headings(text) == ["Chief Complaint", "PHYSICAL EXAM"]
    assert headings("") == []


def test_a_heading_of_few_notes_is_in_no_skeleton():
    """It could be a name. Five notes of up to 500 must have it, or 1 % of more."""
    rows = [("a", ["Meds", "John Miller"])] * 4 + [("b", ["Meds"]), ("c", [])]
    frame = pl.DataFrame(rows, schema=["note_id", "headings"], orient="row")
    assert skeletons(frame)["skeleton"].to_list() == [["Meds"]] * 5 + [[]]
    many = pl.concat([frame] * 99 + [frame.head(0)])
    rare = pl.DataFrame({"note_id": ["d"] * 5, "headings": [["Jane Miller"]] * 5})
    assert skeletons(pl.concat([many, rare]))["skeleton"].to_list()[-5:] == [[]] * 5


def test_the_best_passages_come_first_and_then_stand_in_order():
    """By hand: 4 words of score 3, then 3 words of score 2; the third would be too many."""
    scores, lengths = np.array([2.0, 0.0, 3.0, 1.0]), np.array([3, 1, 4, 5])
    assert pick_passages(scores, lengths, 7).tolist() == [0, 2]
    assert pick_passages(scores, lengths, 4).tolist() == [2]
    # A passage that is too long by itself does not keep the next from being shown.
    assert pick_passages(scores, lengths, 3).tolist() == [0]
    assert pick_passages(np.zeros(4), lengths, 9).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), max_size=12), st.integers(1, 30))
def test_never_more_words_than_the_limit_and_never_a_passage_without_wording(rows, limit):
    scores = np.array([float(score) for score, _ in rows])
    lengths = np.array([length for _, length in rows], dtype=np.int64)
    picked = pick_passages(scores, lengths, limit)
    assert lengths[picked].sum() <= limit
    assert (scores[picked] > 0).all()
    assert (np.diff(picked) > 0).all()


@pytest.mark.parametrize(
    ("passages", "spans"),
    [([3, 4, 9], [(30, 49), (90, 99)]), ([], []), ([0], [(0, 9)]), ([1, 3], [(10, 19), (30, 39)])],
)
def test_passages_that_follow_each_other_are_one_span(passages, spans):
    start = np.arange(0, 100, 10)
    found = join_neighbours(np.array(passages, dtype=np.int64), start, start + 9)
    assert list(zip(*(one.tolist() for one in found), strict=True)) == spans
