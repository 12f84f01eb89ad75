"""The notes a prompt may show: rankings by hand, and the laws of the choice."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES
from longtail_icd.plan.candidates import (
    POOL,
    Overlap,
    Pools,
    assign,
    rank,
    train_notes,
)
from longtail_icd.plan.exemplars import rank_exemplars, select_exemplars, summary

RANKED = {"count": 2, "max_uses": 3, "text_weight": 0.3, "excerpt_words": 12, "seed": 1}

# code: title, parent, category, block, chapter
PLACES = {
    "100.11": ("Acute fever", "100.1", "100", "100-109", "I"),
    "100.12": ("Chronic fever", "100.1", "100", "100-109", "I"),
    "105.0": ("Swamp rash", "105", "105", "100-109", "I"),
    "400.0": ("Broken wheel", "400", "400", "400-409", "II"),
}
SPACE = sorted(PLACES)


def table(name: str, rows: list[tuple]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=TABLES[name].columns, orient="row")


TAXONOMY = table(
    "terminology/codes",
    [
        ("icd9cm", code, "diagnosis", title, "official", *place, True)
        for code, (title, *place) in PLACES.items()
    ],
)
SYNONYMS = table("terminology/synonyms", [("icd9cm", "105.0", "marsh itch", "short_title")])
TIERS = table("plan/tiers", [("icd9cm", code, "diagnosis", 0, "zero_shot") for code in SPACE])


def sets_of(sets: list[tuple[str, list[str], str | None]]) -> pl.DataFrame:
    """Code sets from anchors, companions and source notes; one request each."""
    rows = [
        (f"{number:04x}", anchor, sorted({anchor, *others}), "clone", note, "", False)
        for number, (anchor, others, note) in enumerate(sets)
    ]
    return table("plan/code_sets", rows)


def labels_of(notes: dict[str, list[str]]) -> pl.DataFrame:
    rows = [
        (note, "icd9cm", code, "diagnosis", position)
        for note, codes in notes.items()
        for position, code in enumerate(codes, start=1)
    ]
    return table("corpus/labels", rows)


def text_of(note: str, codes: list[str]) -> str:
    """A note that states its codes' titles, each in a sentence, under a heading."""
    stated = " ".join(f"Seen for {PLACES[code][0].lower()} today." for code in codes)
    return f"Chief Complaint:\nWell, number {note}.\nHospital Course:\n{stated} Went home é."


def notes_of(notes: dict[str, list[str]]) -> pl.DataFrame:
    rows = [
        (note, f"p{note}", None, "F", 50.0, text_of(note, codes)) for note, codes in notes.items()
    ]
    return table("corpus/notes", rows)


def ranked(code_sets, notes, *, texts=None, shuffle=lambda frame: frame, **settings):
    return rank_exemplars(
        shuffle(code_sets),
        shuffle(labels_of(notes)),
        shuffle(notes_of(notes) if texts is None else texts).lazy(),
        shuffle(TIERS),
        shuffle(TAXONOMY),
        shuffle(SYNONYMS),
        **(RANKED | settings),
    )


NOTES = st.dictionaries(
    st.integers(1, 99).map(str),
    st.lists(st.sampled_from(SPACE), min_size=1, max_size=4, unique=True),
    min_size=1,
    max_size=8,
)
SETS = st.lists(
    st.tuples(
        st.sampled_from(SPACE),
        st.lists(st.sampled_from(SPACE), max_size=3, unique=True),
        st.none() | st.integers(1, 99).map(str),
    ),
    max_size=12,
)


def test_source_gives_the_cloned_note_and_nothing_where_there_is_none():
    exemplars = select_exemplars(sets_of([("400.0", [], "17"), ("400.0", [], None)]), "source")
    assert exemplars.rows() == [("0000", ["17"], [], []), ("0001", [], [], [])]
    assert exemplars.schema == pl.Schema(TABLES["plan/exemplars"].columns)
    assert summary(exemplars) == (
        "exemplars of 2 requests: 1 with 0, 1 with 1; 1 notes are shown, each to 1 requests at most"
    )


def test_none_gives_empty_lists():
    exemplars = select_exemplars(sets_of([("400.0", [], "17")]), "none")
    assert exemplars.rows() == [("0000", [], [], [])]
    assert exemplars.schema == pl.Schema(TABLES["plan/exemplars"].columns)


def test_notes_with_the_anchor_come_first_then_its_nearest_siblings():
    """Note 1 has the anchor, 2 a code of the same parent, 3 one of the same block; 4 shares the
    companion alone and is nowhere near."""
    notes = {"1": ["100.11"], "2": ["100.12"], "3": ["105.0", "400.0"], "4": ["400.0"]}
    wanted = sets_of([("100.11", ["400.0"], None)])
    for count, expected in ((1, ["1"]), (2, ["1", "2"]), (4, ["1", "2", "3"])):
        exemplars = ranked(wanted, notes, count=count)
        assert exemplars["exemplar_note_ids"].to_list() == [expected]


def test_shared_codes_decide_within_a_level():
    notes = {"1": ["100.11"], "2": ["100.11", "105.0"], "3": ["400.0"], "4": ["105.0"]}
    exemplars = ranked(sets_of([("100.11", ["105.0"], None)]), notes, count=1, text_weight=0)
    assert exemplars["exemplar_note_ids"].to_list() == [["2"]]


def test_text_decides_where_it_has_all_the_weight():
    """Both notes have the anchor, note 1 says it more often."""
    notes = {"1": ["100.11"], "2": ["100.11", "105.0"], "3": ["400.0"], "4": ["400.0"], "5": []}
    texts = notes_of(notes).with_columns(
        text=pl.when(pl.col("note_id") == "1")
        .then(pl.lit("Acute fever. Acute fever. Acute fever."))
        .otherwise("text")
    )
    wanted = sets_of([("100.11", ["105.0"], None)])
    for weight, expected in ((0.0, "2"), (1.0, "1")):
        exemplars = ranked(wanted, notes, texts=texts, count=1, text_weight=weight)
        assert exemplars["exemplar_note_ids"].to_list() == [[expected]]


def test_a_request_is_not_shown_the_note_its_codes_come_from():
    """Note and complete code set together ask for one patient's stay again."""
    notes = {"1": ["100.11", "400.0"], "2": ["100.12"], "3": ["105.0"], "4": ["400.0"]}
    exemplars = ranked(sets_of([("100.11", ["400.0"], "1")]), notes, count=1)
    assert exemplars["exemplar_note_ids"].to_list() == [["2"]]


def test_excerpts_are_the_sentences_that_state_the_codes():
    notes = {"1": ["100.11", "105.0"], "2": ["400.0"], "3": ["400.0"]}
    exemplars = ranked(sets_of([("100.11", ["105.0"], None)]), notes, count=1)
    text = text_of("1", notes["1"])
    (excerpts,) = exemplars["excerpts"].to_list()
    assert [text[one["start"] : one["end"]] for one in excerpts] == [
        "Hospital Course:\nSeen for acute fever today. Seen for swamp rash today."
    ]
    short = ranked(sets_of([("100.11", ["105.0"], None)]), notes, count=1, excerpt_words=7)
    (excerpts,) = short["excerpts"].to_list()
    assert [text[one["start"] : one["end"]] for one in excerpts] == [
        "Hospital Course:\nSeen for acute fever today."
    ]


def test_a_note_that_says_nothing_of_the_codes_is_not_shown():
    notes = {"1": ["100.11"], "2": ["100.11"], "3": ["400.0"]}
    texts = notes_of(notes).with_columns(
        text=pl.when(pl.col("note_id") == "1").then(None).otherwise("text")
    )
    exemplars = ranked(sets_of([("100.11", [], None)]), notes, texts=texts)
    assert exemplars["exemplar_note_ids"].to_list() == [["2"]]


def test_skeleton_is_that_of_the_best_note():
    notes = {str(number): ["100.11"] for number in range(6)}
    exemplars = ranked(sets_of([("100.11", [], None)]), notes)
    assert exemplars["skeleton"].to_list() == [[]]  # all notes say "fever": nothing tells
    notes |= {f"1{number}": ["400.0"] for number in range(7)}
    exemplars = ranked(sets_of([("100.11", [], None)]), notes)
    assert exemplars["skeleton"].to_list() == [["Chief Complaint", "Hospital Course"]]


def test_a_used_up_note_leaves_later_requests_without_and_the_log_says_so():
    notes = {"1": ["400.0"], "2": ["100.11"], "3": ["100.11"]}
    exemplars = ranked(sets_of([("400.0", [], None)] * 5), notes, count=1, max_uses=3)
    assert sorted(exemplars["exemplar_note_ids"].list.len()) == [0, 0, 1, 1, 1]
    assert summary(exemplars) == (
        "exemplars of 5 requests: 2 with 0, 3 with 1; 1 notes are shown, each to 3 requests at most"
    )


def test_reserve_requests_choose_last():
    """They change nothing about the requests of the allocation."""
    notes = {"1": ["400.0"], "2": ["100.11"], "3": ["100.11"]}
    wanted = sets_of([("400.0", [], None)] * 6)
    reserve = pl.Series([True, True, True, False, False, False])
    exemplars = ranked(wanted.with_columns(reserve=reserve), notes, count=1, max_uses=3)
    assert exemplars["exemplar_note_ids"].list.len().to_list() == [0, 0, 0, 1, 1, 1]


def test_no_requests_or_no_texts_give_no_exemplars():
    """A corpus of labels alone (corpus.notes: none) is no error."""
    notes = {"1": ["400.0"], "2": ["100.11"]}
    assert ranked(sets_of([]), notes).is_empty()
    silent = notes_of(notes).with_columns(text=pl.lit(None, pl.String))
    exemplars = ranked(sets_of([("400.0", [], None)]), notes, texts=silent)
    assert exemplars.rows() == [("0000", [], [], [])]


@settings(deadline=None, max_examples=40)
@given(NOTES, SETS, st.integers(1, 3), st.integers(1, 3), st.integers(3, 20))
def test_laws_of_the_choice(notes, sets, count, max_uses, words):
    """Every note is a train note other than the request's source, none is used too often, no
    request has more than it asked for, and every span lies inside its note, within the limit."""
    wanted = sets_of(sets)
    exemplars = ranked(wanted, notes, count=count, max_uses=max_uses, excerpt_words=words)
    assert exemplars["request_id"].equals(wanted["request_id"])
    assert exemplars.schema == pl.Schema(TABLES["plan/exemplars"].columns)
    uses = Counter(exemplars["exemplar_note_ids"].explode(empty_as_null=False))
    assert not uses or max(uses.values()) <= max_uses
    for (_, _, source), row in zip(sets, exemplars.iter_rows(named=True), strict=True):
        shown = row["exemplar_note_ids"]
        assert len(shown) == len(set(shown)) <= count
        assert set(shown) <= set(notes) - {source}
        assert {one["note_id"] for one in row["excerpts"]} == set(shown)
        for note in shown:
            spans = [one for one in row["excerpts"] if one["note_id"] == note]
            text = text_of(note, notes[note])
            assert all(0 <= one["start"] < one["end"] <= len(text) for one in spans)
            assert sum(len(text[one["start"] : one["end"]].split()) for one in spans) <= words


@settings(deadline=None, max_examples=40)
@given(NOTES, SETS, st.randoms(use_true_random=False))
def test_row_order_of_the_inputs_changes_nothing(notes, sets, generator):
    def shuffled(frame):
        order = list(range(len(frame)))
        generator.shuffle(order)
        return frame[order]

    wanted = sets_of(sets)
    expected = ranked(wanted, notes)
    assert ranked(wanted, notes, shuffle=shuffled).sort("request_id").equals(expected)


def test_a_large_level_is_drawn_from_and_each_anchor_draws_its_own():
    notes = {str(number): ["100.12"] for number in range(3 * POOL)}
    codes = train_notes(labels_of(notes), TAXONOMY)
    rows, levels = Pools(codes, seed=1).of("100.11")
    assert len(rows) == len(set(rows.tolist())) == POOL
    assert set(levels.tolist()) == {1}
    other, _ = Pools(codes, seed=1).of("105.0")
    assert len(set(rows.tolist()) & set(other.tolist())) < POOL / 2


def test_overlap_is_shared_weight_over_all_weight():
    """ln 4 for the codes of one note in four, ln 2 for that of two."""
    notes = {"1": ["100.11", "105.0"], "2": ["105.0"], "3": ["400.0"], "4": ["100.12"]}
    codes = train_notes(labels_of(notes), TAXONOMY)
    fits = Overlap(codes, pl.Series([["100.11", "105.0"], ["105.0", "400.0"]]))
    rows = np.array([0, 1])
    rare, common = np.log(4), np.log(2)
    assert fits.of(slice(0, 1), rows) == pytest.approx(np.array([[1.0, common / (rare + common)]]))
    assert fits.of(slice(1, 2), rows) == pytest.approx(
        np.array([[common / (2 * rare + common), common / (rare + common)]])
    )


def test_rank_by_level_then_fit_then_tie():
    overlap = np.array([[0.1, 0.9, 0.5, 0.5]])
    text = np.array([0.0, 2.0, 1.0, 1.0])
    levels, ties = np.array([0, 1, 1, 1]), np.array([9, 8, 7, 6], dtype=np.uint64)
    assert rank(overlap, text, levels, ties, 0.5).tolist() == [[0, 1, 3, 2]]
    assert rank(1 - overlap, np.zeros(4), levels, ties, 0.5).tolist() == [[0, 3, 2, 1]]


def test_assign_by_hand():
    rankings = {"a": np.array([5, 6]), "b": np.array([5, 6]), "c": np.array([5, 7])}
    assert assign(rankings, ["c", "a", "b"], count=1, max_uses=1) == {"c": [5], "a": [6], "b": []}
    assert assign(rankings, ["a", "b", "c"], count=2, max_uses=2) == {
        "a": [5, 6],
        "b": [5, 6],
        "c": [7],
    }
    # Nobody gets a second note before everybody had the choice of a first.
    assert assign(rankings, ["a", "b"], count=2, max_uses=1) == {"a": [5], "b": [6]}
