"""Code sets drawn code by code: the model's values by hand, and the laws of the draws."""

from collections import Counter
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.plan import sampling
from longtail_icd.plan.code_sets import build_code_sets
from longtail_icd.plan.companions import EVERYWHERE, LIFT_PRIOR, PRIORS, Companions
from longtail_icd.plan.conflicts import conflict_matrix
from longtail_icd.plan.cooccurrence import mine_cooccurrence
from longtail_icd.plan.group_cooccurrence import mine_group_cooccurrence
from longtail_icd.plan.sampling import Sampler, Sizes, chances
from longtail_icd.plan.sharpness import STEPS, closeness, fit_sharpness, real_sets
from longtail_icd.plan.tiers import stratify

# Two siblings and a third code in chapter I, two codes in chapter II.
PLACES = {
    "100.1": ("100", "100", "100-109", "I"),
    "100.2": ("100", "100", "100-109", "I"),
    "105.0": ("105", "105", "100-109", "I"),
    "400.0": ("400", "400", "400-409", "II"),
    "401.0": ("401", "401", "400-409", "II"),
}
SPACE = sorted(PLACES)
EDGES = {"head": 30, "medium": 20, "tail": 10}


def table(name: str, rows: list[tuple]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=TABLES[name].columns, orient="row")


TAXONOMY = table(
    "terminology/codes",
    [("icd9cm", code, "diagnosis", "", "official", *place, True) for code, place in PLACES.items()],
)


def labels_of(notes: list[list[str]]) -> pl.DataFrame:
    rows = [
        (f"n{note:03}", "icd9cm", code, "diagnosis", 1)
        for note, codes in enumerate(notes)
        for code in codes
    ]
    return table("corpus/labels", rows)


def tiers_of(labels: pl.DataFrame) -> pl.DataFrame:
    space = table("corpus/codes", [("icd9cm", code, "diagnosis") for code in SPACE])
    return stratify(space, labels, EDGES)


def model_of(notes: list[list[str]]) -> Companions:
    labels = labels_of(notes)
    pairs, groups = mine_cooccurrence(labels), mine_group_cooccurrence(labels, TAXONOMY)
    return Companions(tiers_of(labels), TAXONOMY, len(notes), pairs, groups)


def build(notes: list[list[str]], amounts: dict[str, int], **options) -> pl.DataFrame:
    labels = labels_of(notes)
    mined = {
        "cooccurrence": mine_cooccurrence(labels),
        "group_cooccurrence": mine_group_cooccurrence(labels, TAXONOMY),
        "conflicts": empty_table("plan/conflicts"),
    }
    return build_code_sets(
        labels,
        tiers_of(labels),
        TAXONOMY,
        table("plan/allocation", list(amounts.items())),
        **{"strategy": "sample", "seed": 1, **mined, **options},
    )


# 20 notes: 100.1 in 4 of them, three times beside 400.0; 100.2 nowhere.
NOTES = [["100.1", "400.0"]] * 3 + [["100.1", "105.0"]] + [["400.0", "401.0"]] * 6
NOTES += [["105.0", "401.0"]] * 6 + [["401.0"]] * 4


def test_nearness_mixes_the_levels_by_their_notes():
    """100.1 has 4 notes, its category none with another code; its block 10, its chapter 10.

    Left of 1 - EVERYWHERE: the anchor takes 4 / (4 + 10), the category nothing (no note has a
    second code of it), then block and chapter, and P(c) what is left.
    """
    model = model_of(NOTES)
    weights = dict(zip(model.codes, model.nearness("100.1"), strict=True))
    share = {"400.0": 9 / 20, "401.0": 16 / 20, "105.0": 7 / 20, "100.1": 4 / 20}
    # Beside the anchor; notes with *another* code of its category, block or chapter, of those
    # with any: 400.0 stands beside the anchor thrice in 4 notes of the category, 10 of the block.
    levels = [
        (4, "own", {"400.0": 3 / 4, "105.0": 1 / 4}),
        (4, "category", {"400.0": 3 / 4, "105.0": 1 / 4}),
        (10, "block", {"400.0": 3 / 10, "401.0": 6 / 10, "100.1": 1 / 10, "105.0": 1 / 10}),
        (10, "chapter", {"400.0": 3 / 10, "401.0": 6 / 10, "100.1": 1 / 10, "105.0": 1 / 10}),
    ]
    expected, left = dict.fromkeys(share, 0.0), 1 - EVERYWHERE
    for notes, level, beside in levels:
        part = left * notes / (notes + PRIORS[level])
        left -= part
        for code, probability in beside.items():
            expected[code] += part * probability
    for code, everywhere in share.items():
        assert weights[code] == pytest.approx(expected[code] + (left + EVERYWHERE) * everywhere)


def test_a_code_without_notes_borrows_from_its_siblings():
    """100.2 was never seen: what stands beside 100.1 is near it, and its lifts are the category's.

    400.0 is in 3 of the category's 4 notes and 9 of all 20; 401.0 in none of the 4 and 16 of 20.
    """
    model = model_of(NOTES)
    near = dict(zip(model.codes, model.nearness("100.2") / model.share, strict=True))
    assert near["400.0"] > near["401.0"]
    lifts = dict(zip(model.codes, model.lift_of("100.2"), strict=True))
    assert lifts["400.0"] > lifts["401.0"]


def test_lift_is_shrunk_level_by_level():
    """Two siblings alone: every level holds one group, whose prior is its own ratio."""
    notes = [["100.1", "100.2"]] * 4 + [["100.1"]] * 4 + [["100.2"]] * 2
    model = model_of(notes)
    # Expected by chance: 8 × 6 / 10 = 4.8 each way; 4 were observed. At each level the groups'
    # own prior is that ratio, so that shrinking changes nothing.
    ratio = 4 / 4.8
    first, second = (model.codes.index(code) for code in ("100.1", "100.2"))
    by_hand = (4 + LIFT_PRIOR * ratio) / (4.8 + LIFT_PRIOR)
    assert float(model.lift[first, second]) == pytest.approx(by_hand, rel=1e-3)
    assert model.lift[first, second] == model.lift[second, first]


def test_closeness_is_the_mean_log_lift_and_leaves_a_real_set_out():
    """Lift 9 / 9.8 with the set itself, 8 / 9.8 without: (4 + 5 r) / (4.8 + 5), r = 4 / 4.8."""
    model = model_of([["100.1", "100.2"]] * 4 + [["100.1"]] * 4 + [["100.2"]] * 2)
    lift = (4 + LIFT_PRIOR * 4 / 4.8) / (4.8 + LIFT_PRIOR)
    assert closeness(model, [[0, 1], [0]], real=False) == pytest.approx(np.log(lift), abs=1e-3)
    left_out = lift - 1 / (4.8 + LIFT_PRIOR)
    assert closeness(model, [[0, 1]], real=True) == pytest.approx(np.log(left_out), abs=1e-3)
    assert closeness(model, [[0], [1]], real=False) == 0.0


def test_real_sets_are_train_notes_with_their_anchor():
    model = model_of(NOTES)
    sets = real_sets(labels_of(NOTES), model, seed=1)
    notes = [sorted(model.codes.index(code) for code in note) for note in NOTES]
    for anchor, codes in sets.items():
        assert model.codes.index(anchor) in codes
        assert codes in notes


def test_sharpness_is_the_least_at_which_drawn_sets_are_as_close_as_real_ones():
    """Notes of two wards, one in ten codes from the other: neither 0 nor the largest will do."""
    generator = np.random.default_rng(0)
    wards = (["100.1", "100.2", "105.0"], ["400.0", "401.0"])
    notes = []
    for note in range(150):
        codes = {generator.choice(wards[(note + (generator.random() < 0.1)) % 2]) for _ in range(3)}
        notes.append(sorted(str(code) for code in codes))
    labels, model = labels_of(notes), model_of(notes)
    tiers = dict(tiers_of(labels).select("code", "tier").iter_rows())
    conflicts = conflict_matrix(empty_table("plan/conflicts"), list(tiers))
    sampler = Sampler(model, Sizes(labels, model), tiers, conflicts, 1.0, None, 1)
    sharpness = fit_sharpness(labels, model, sampler, seed=1)
    real = real_sets(labels, model, seed=1)
    wanted = closeness(model, list(real.values()), real=True)

    def drawn(at: float) -> float:
        sets = sampler.trial(list(real), at)
        return closeness(model, [[model.codes.index(code) for code in one] for one in sets], False)

    assert 0 < sharpness < STEPS[-1]
    assert drawn(sharpness) >= wanted > drawn(round(sharpness - 0.1, 1))


def test_sizes_are_those_of_real_sets_of_chapter_and_tier(monkeypatch):
    """Two notes of chapter I have the sizes 2 and 3; with enough of them no other is drawn."""
    monkeypatch.setattr(sampling, "ENOUGH_SIZES", 2)
    notes = [["105.0", "400.0"], ["105.0", "400.0", "401.0"], ["401.0"], ["400.0", "401.0"]]
    labels = labels_of(notes)
    sizes = Sizes(labels.select("note_id", "code"), model_of(notes))
    assert sizes.of("100.2", "zero_shot", np.array([0.0, 0.49, 0.5, 0.99])).tolist() == [2, 2, 3, 3]
    assert sizes.largest == 3


def test_more_requests_change_no_earlier_row():
    few, many = chances(1, "038.9", 0, 2, 5), chances(1, "038.9", 0, 9, 5)
    assert (few == many[:2]).all()
    assert (chances(1, "038.9", 1, 2, 5) != few).any()


NOTE_LISTS = st.lists(
    st.lists(st.sampled_from(SPACE), min_size=1, max_size=4, unique=True), min_size=3, max_size=12
)
AMOUNTS = st.dictionaries(st.sampled_from(SPACE), st.integers(0, 6), min_size=1, max_size=5)
PAIRS = st.lists(st.sampled_from(list(combinations(SPACE, 2))), max_size=4, unique=True)


def conflicts_of(pairs: list[tuple[str, str]]) -> pl.DataFrame:
    return table("plan/conflicts", [([a], [b], "excludes1", "") for a, b in pairs])


@settings(deadline=None, max_examples=40)
@given(NOTE_LISTS, AMOUNTS, PAIRS, st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 0.5, 1.0]))
def test_laws_of_drawn_sets(notes, amounts, pairs, reserve, head_load):
    """Anchor inside, companions with train notes, no set twice, no contradiction, no extra row."""
    conflicts = conflicts_of(pairs)
    code_sets = build(notes, amounts, conflicts=conflicts, reserve=reserve, head_load=head_load)
    seen = {code for note in notes for code in note}
    against = conflict_matrix(conflicts, SPACE)
    largest = max(len(set(note)) for note in notes)
    for anchor, codes in code_sets.select("anchor", "codes").iter_rows():
        assert anchor in codes
        assert codes == sorted(codes)
        assert set(codes) - {anchor} <= seen
        assert len(codes) <= max(1, largest)
        rows = [SPACE.index(code) for code in codes]
        assert against[rows][:, rows].nnz == 0
    assert code_sets["codes"].list.join(",").n_unique() == len(code_sets)
    planned = Counter(code_sets.filter(~pl.col("reserve"))["anchor"])
    assert all(planned[anchor] <= amount for anchor, amount in amounts.items())
    assert set(code_sets["strategy"]) <= {"sample"}


@settings(deadline=None, max_examples=20)
@given(NOTE_LISTS, st.randoms(use_true_random=False))
def test_row_order_changes_nothing(notes, generator):
    amounts = dict.fromkeys(SPACE, 3)
    expected = build(notes, amounts)
    labels = labels_of(notes)
    order = list(range(len(labels)))
    generator.shuffle(order)
    mined = {
        "cooccurrence": mine_cooccurrence(labels)[::-1],
        "group_cooccurrence": mine_group_cooccurrence(labels, TAXONOMY)[::-1],
        "conflicts": empty_table("plan/conflicts"),
    }
    moved = build_code_sets(
        labels[order],
        tiers_of(labels)[::-1],
        TAXONOMY[::-1],
        table("plan/allocation", list(amounts.items())[::-1]),
        strategy="sample",
        seed=1,
        **mined,
    )
    assert moved.equals(expected)


def many_notes() -> list[list[str]]:
    """200 notes with random codes: sets enough for every request."""
    generator = np.random.default_rng(0)
    return [
        sorted(set(generator.choice(SPACE[:1] + SPACE[2:], size=generator.integers(1, 5)).tolist()))
        for _ in range(200)
    ]


def test_a_smaller_allocation_gives_the_first_rows_of_a_larger_one():
    """And the reserve comes after the allocated requests and changes none of them."""
    few, more = (build(many_notes(), {"100.2": amount}) for amount in (2, 4))
    assert more["codes"][:2].to_list() == few["codes"].to_list()
    reserved = build(many_notes(), {"100.2": 2}, reserve=1.0)
    assert reserved["codes"][:2].to_list() == few["codes"].to_list()
    assert reserved["reserve"].to_list() == [False, False, True, True]


def test_another_anchor_changes_no_request():
    """But where both draw the same set, which is then the first one's: here nowhere."""
    amounts = dict.fromkeys(SPACE[1:3], 3)
    before, after = (build(many_notes(), some) for some in (amounts, amounts | {SPACE[0]: 3}))
    assert after.filter(pl.col("anchor") != SPACE[0]).equals(before)


def test_head_load_takes_out_head_companions_alone():
    """Of the head tier none stays at 0; at 1 some are there; others are drawn as before."""
    notes = many_notes()
    head = set(tiers_of(labels_of(notes)).filter(tier="head")["code"])
    assert head
    whole, without = (build(notes, {"100.2": 6}, head_load=load) for load in (1.0, 0.0))
    assert any(head & set(codes) for codes in whole["codes"])
    assert not any(head & set(codes) for codes in without["codes"])


def test_most_companions_are_the_first_of_those_that_would_be_drawn():
    """A cap changes nothing but the sets' sizes: what a set has is what the whole one has."""
    amounts = {"100.2": 2, "105.0": 1}
    whole, cut = (build(many_notes(), amounts, max_companions=most) for most in (None, 1))
    assert max(map(len, whole["codes"])) > 2
    for all_codes, codes in zip(whole["codes"], cut["codes"], strict=True):
        assert len(codes) == min(len(all_codes), 2)
        assert set(codes) <= set(all_codes)


def test_what_cannot_be_new_is_left_out_and_said(capsys):
    """One code alone in the notes allows one set; four more requests are left out and counted."""
    code_sets = build([["100.1"]] * 3, {"100.1": 5})
    assert code_sets["codes"].to_list() == [["100.1"]]
    assert "4 requests are left out" in capsys.readouterr().out


def test_an_anchor_that_everything_contradicts_stands_alone():
    conflicts = conflicts_of([("100.1", code) for code in SPACE if code != "100.1"])
    code_sets = build(NOTES, {"100.1": 3}, conflicts=conflicts)
    assert code_sets["codes"].to_list() == [["100.1"]]
    assert "candidates contradicted" in code_sets["reason"][0]


def test_no_labels_no_sets():
    allocation = table("plan/allocation", [])
    mined = {
        name: empty_table(f"plan/{name}")
        for name in ("cooccurrence", "group_cooccurrence", "conflicts")
    }
    sets = build_code_sets(
        empty_table("corpus/labels"),
        empty_table("plan/tiers"),
        TAXONOMY,
        allocation,
        strategy="sample",
        seed=1,
        **mined,
    )
    assert sets.is_empty()
