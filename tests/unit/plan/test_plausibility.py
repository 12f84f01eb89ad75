"""Plausibility: each measure by hand, leave-one-out, counterparts, and the two-sample test."""

import numpy as np
import polars as pl
import pytest
from longtail_icd.common.tables import TABLES, empty_table
from longtail_icd.plan.cooccurrence import mine_cooccurrence, npmi
from longtail_icd.plan.measured_sets import contradicting, nearest_overlap, without
from longtail_icd.plan.plausibility import (
    assess_code_sets,
    chapter_distance,
    counterparts,
    pair_correlation,
    summary,
)
from longtail_icd.plan.set_features import label_space, pairs_of, set_features
from longtail_icd.plan.two_sample import by_codes, by_features, cross_validated_auc

# code: parent, category, chapter, tier.
CODES = {
    "100.1": ("100", "100", "I", "head"),
    "100.2": ("100", "100", "I", "medium"),
    "200.1": ("200", "200", "II", "few_shot"),
    "200.2": ("200", "200", "II", "zero_shot"),
}
TAXONOMY = pl.DataFrame(
    [
        ("icd9cm", code, "diagnosis", code, "official", parent, category, "block", chapter, True)
        for code, (parent, category, chapter, _) in CODES.items()
    ],
    schema=TABLES["terminology/codes"].columns,
    orient="row",
)
NOTES = {
    "1": ["100.1", "100.2", "200.1"],
    "2": ["100.1", "100.2"],
    "3": ["100.1", "200.1"],
    "4": ["100.1"],
}


def labels_of(notes):
    rows = [
        (note, "icd9cm", code, "diagnosis", position)
        for note, codes in notes.items()
        for position, code in enumerate(codes)
    ]
    return pl.DataFrame(rows, schema=TABLES["corpus/labels"].columns, orient="row")


def tiers_of(notes, tiers):
    rows = [
        ("icd9cm", code, "diagnosis", sum(code in codes for codes in notes.values()), tier)
        for code, tier in sorted(tiers.items())
    ]
    return pl.DataFrame(rows, schema=TABLES["plan/tiers"].columns, orient="row")


def code_sets_of(sets):
    """Requests from (anchor, codes, source)."""
    rows = [
        (f"{number:04d}", anchor, sorted(codes), "clone", source, "", False)
        for number, (anchor, codes, source) in enumerate(sets)
    ]
    return pl.DataFrame(rows, schema=TABLES["plan/code_sets"].columns, orient="row")


TIERS = tiers_of(NOTES, {code: place[3] for code, place in CODES.items()})
SPACE = label_space(TIERS, TAXONOMY, mine_cooccurrence(labels_of(NOTES)), len(NOTES))


def matrix(*sets):
    rows = [(row, code) for row, codes in enumerate(sets) for code in codes]
    members = pl.DataFrame(rows, schema={"row": pl.Int64, "code": pl.String}, orient="row")
    return SPACE.matrix(members, len(sets))


def test_pairs_of_sets_of_different_sizes():
    row, a, b = pairs_of(matrix(["100.2", "100.1"], [], ["200.1"], ["100.1", "200.2", "200.1"]))
    assert sorted(zip(row, a, b, strict=True)) == [(0, 0, 1), (3, 0, 2), (3, 0, 3), (3, 2, 3)]


def test_features_of_a_planned_set():
    """100.1 and 100.2 share two notes, 100.1 and 200.1 two, 100.2 and 200.1 one; the pairs with
    200.2 none."""
    one = set_features(matrix(CODES), np.array([False]), SPACE).row(0, named=True)
    assert one["size"] == 4
    assert one["unseen"] == pytest.approx(3 / 6)
    expected = npmi(np.array([2.0, 2.0, 1.0]), np.array([2.0, 2.0, 1.0]), 4)
    assert one["npmi_mean"] == pytest.approx(expected.mean())
    assert (one["same_parent"], one["same_category"]) == (2, 2)
    assert one["frequency"] == pytest.approx(np.log([5, 3, 3, 1]).mean())
    tiers = [one[tier] for tier in ("head", "medium", "tail", "few_shot", "zero_shot")]
    assert tiers == [1, 1, 0, 1, 1]
    assert (one["chapter_0"], one["chapter_1"]) == (2, 2)


def test_a_train_note_is_held_against_the_other_notes():
    """Without note 1 no note holds 100.2 and 200.1; 100.1 and 100.2 share one note of three, in
    which 100.1 is three times and 100.2 once."""
    note = matrix(NOTES["1"])
    planned = set_features(note, np.array([False]), SPACE).row(0, named=True)
    own = set_features(note, np.array([True]), SPACE).row(0, named=True)
    assert planned["unseen"] == 0
    assert own["unseen"] == pytest.approx(1 / 3)
    expected = npmi(np.array([1.0]), np.array([3 * 1 / 3]), 3)
    assert own["npmi_mean"] == pytest.approx(expected.item())
    assert own["frequency"] == pytest.approx(np.log([4, 2, 2]).mean())
    assert own["npmi_max"] == own["npmi_min"] == pytest.approx(expected.item())


def test_a_set_without_pairs_has_no_value_of_pairs():
    one = set_features(matrix(["100.1"], []), np.zeros(2, bool), SPACE)
    assert one["unseen"].to_list() == [None, None]
    assert one["npmi_mean"].to_list() == [None, None]
    assert one["frequency"].to_list() == pytest.approx([np.log(5), 0])


def test_without_takes_one_code_from_each_set():
    found = without(matrix(["100.1", "200.1"], ["200.1"]), np.array([0, 2])).toarray()
    assert found.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0]]


def test_nearest_overlap_leaves_the_note_itself_out():
    """{100.1, 200.1} is note 3; note 1 shares two of three codes, note 4 one of two."""
    notes = matrix(*NOTES.values())
    one = matrix(["100.1", "200.1"])
    assert nearest_overlap(one, notes, np.array([-1])).tolist() == [1.0]
    assert nearest_overlap(one, notes, np.array([2])).tolist() == pytest.approx([2 / 3])


def test_contradictions_are_counted_by_reason():
    conflicts = pl.DataFrame(
        [(["100.1"], ["200.1"], "sex", ""), (["100.1"], ["200.2"], "excludes1", "")],
        schema=TABLES["plan/conflicts"].columns,
        orient="row",
    )
    sets = matrix(["100.1", "200.1"], ["100.2", "200.1"])
    found = contradicting(sets, conflicts, SPACE.codes["code"])
    assert {reason: one.tolist() for reason, one in found.items()} == {
        "excludes1": [False, False],
        "sex": [True, False],
        "age": [False, False],
    }


def test_counterparts_are_of_the_same_tier_and_chapter_in_turn():
    """A zero-shot anchor goes with few-shot ones; used-up real sets come again."""
    planned = pl.DataFrame(
        [("few_shot", 1), ("few_shot", 1), ("zero_shot", 1), ("few_shot", 1), ("tail", 1)],
        schema=["tier", "chapter"],
        orient="row",
    )
    real = pl.DataFrame(
        [("few_shot", 2), ("few_shot", 1), ("tail", 2), ("few_shot", 1)],
        schema=["tier", "chapter"],
        orient="row",
    )
    assert counterparts(planned, real).to_list() == [1, 3, 1, 1, None]


def test_pair_correlation_by_hand():
    """Pairs of 20, 10 and 5 of 40 train notes; the four sets hold the first twice and the second
    once: scaled to 40 notes 20, 10 and 0. The fourth pair is too rare to count."""
    counts = {("100.1", "100.2"): 20, ("100.1", "200.1"): 10, ("100.2", "200.1"): 5}
    pairs = [(*pair, count) for pair, count in (counts | {("200.1", "200.2"): 4}).items()]
    table = pl.DataFrame(pairs, schema=["code_a", "code_b", "notes"], orient="row")
    space = label_space(TIERS, TAXONOMY, table, 40)
    sets = matrix(["100.1", "100.2"], ["100.1", "100.2"], ["100.1", "200.1"], ["200.1", "200.2"])
    value, count = pair_correlation(sets, space)
    expected = np.corrcoef(np.log([20, 10, 5]), np.log1p([20, 10, 0]))[0, 1]
    assert (value, count) == (pytest.approx(expected), 4)
    assert pair_correlation(sets[:0], space) == (None, 0)


def test_chapter_distance_is_0_for_the_same_mix_and_1_for_none_in_common():
    one = pl.DataFrame({"chapter_0": [1, 3], "chapter_1": [0, 4]})
    other = pl.DataFrame({"chapter_0": [1], "chapter_1": [1]})
    apart = pl.DataFrame({"chapter_0": [0], "chapter_1": [5]})
    assert chapter_distance(one, other) == 0
    assert chapter_distance(one.select("chapter_0", chapter_1=0), apart) == pytest.approx(1)
    assert chapter_distance(one.head(0), other) is None


def simulated(generator, count):
    """Notes of six topics with 150 codes of their own each, some far rarer, and 1 of 40 anchors."""
    notes = {}
    for number in range(count):
        topic = int(generator.random() * 6)
        draws = generator.random((8, 2)).prod(axis=1) * 150
        codes = {f"{topic + 1}00.{int(draw)}" for draw in draws}
        rare = f"90{number % 8}.{number % 5}"
        notes[f"{number:04d}"] = sorted(codes | {rare})
    return notes


def assessed(sets, notes):
    codes = {code for one in notes.values() for code in one}
    codes |= {code for _, one, _ in sets for code in one}  # a label space knows more than train
    tiers = tiers_of(notes, {code: "few_shot" if code[0] == "9" else "head" for code in codes})
    labels = labels_of(notes)
    return assess_code_sets(
        code_sets_of(sets),
        labels,
        tiers,
        empty_table("terminology/codes"),
        mine_cooccurrence(labels),
        empty_table("plan/conflicts"),
    )


def value_of(table, measure, who="planned", tier="all"):
    return table.filter(measure=measure, who=who, tier=tier)["value"].item()


def anchor_of(codes):
    return next(code for code in codes if code[0] == "9")


@pytest.fixture(scope="module")
def halves():
    generator = np.random.default_rng(1)
    return simulated(generator, 400), simulated(generator, 400)


def test_two_halves_of_real_sets_cannot_be_told_apart(halves):
    """Nor can copies: they are held against the notes that they are not copied from."""
    notes, others = halves
    new = assessed([(anchor_of(codes), codes, None) for codes in others.values()], notes)
    copied = assessed([(anchor_of(codes), codes, note) for note, codes in notes.items()], notes)
    for table in (new, copied):
        assert value_of(table, "auc_codes") == pytest.approx(0.5, abs=0.1)
        assert value_of(table, "auc_features") == pytest.approx(0.5, abs=0.1)
    assert value_of(copied, "copies") == 1
    assert value_of(copied, "nearest_median") == 1
    assert value_of(copied, "pairs_unseen") == pytest.approx(
        value_of(copied, "pairs_unseen", "train"), abs=0.02
    )


def test_shuffled_codes_are_told_apart(halves):
    """The same codes as often, thrown together across topics."""
    notes, others = halves
    generator = np.random.default_rng(2)
    common = [code for codes in others.values() for code in codes if code[0] != "9"]
    shuffled = iter(generator.permutation(common).tolist())
    sets = []
    for codes in others.values():
        anchor = anchor_of(codes)
        sets.append((anchor, {anchor, *(next(shuffled) for _ in codes[1:])}, None))
    table = assessed(sets, notes)
    assert value_of(table, "auc_features") > 0.9
    assert value_of(table, "auc") == value_of(table, "auc_features")
    assert value_of(table, "pairs_unseen") > value_of(table, "pairs_unseen", "train") + 0.1
    assert value_of(table, "copies") == 0
    assert "AUC of 0.9" in summary(table) or "AUC of 1.0" in summary(table)


def test_a_frequent_code_that_planned_sets_lack_is_seen_by_codes(halves):
    notes, others = halves
    lacking = [
        (anchor_of(codes), [c for c in codes if c[0] != "1"], None) for codes in others.values()
    ]
    assert value_of(assessed(lacking, notes), "auc_codes") > 0.55


def test_reserves_and_the_order_of_rows_change_nothing(halves):
    notes, others = halves
    sets = code_sets_of([(anchor_of(codes), codes, None) for codes in others.values()])
    reserve = sets.head(9).with_columns(
        pl.col("request_id") + "r", codes=pl.concat_list("anchor"), reserve=True
    )
    labels = labels_of(notes)
    tiers = tiers_of(notes, dict.fromkeys({code for one in notes.values() for code in one}, "head"))
    tiers = tiers.with_columns(
        tier=pl.when(pl.col("code").str.starts_with("9"))
        .then(pl.lit("few_shot"))
        .otherwise(pl.lit("head"))
    )
    inputs = [sets, labels, tiers, empty_table("terminology/codes"), mine_cooccurrence(labels)]
    expected = assess_code_sets(*inputs, empty_table("plan/conflicts"))
    inputs[0] = pl.concat([sets, reserve])
    moved = [frame.sample(fraction=1, shuffle=True, seed=3) for frame in inputs]
    assert assess_code_sets(*moved, empty_table("plan/conflicts")).equals(expected)


def test_duplicates_need_another_planned_set(halves):
    notes, _ = halves
    codes = next(iter(notes.values()))
    anchor = anchor_of(codes)
    table = assessed([(anchor, codes, None)] * 2 + [(anchor, [anchor], None)], notes)
    assert value_of(table, "duplicates") == pytest.approx(2 / 3)
    assert value_of(table, "codes_mean") == pytest.approx((2 * len(codes) + 1) / 3)
    assert value_of(table, "auc") is None  # too few sets to tell apart


def test_no_copy_is_trained_on_the_other_side_of_its_fold():
    """Every set is there twice, once per side: a classifier that had seen the other copy would be
    wrong each time, and its AUC 0."""
    generator = np.random.default_rng(1)
    features = generator.random((200, 40)) < 0.2
    planned = np.repeat([True, False], 200)
    source = np.tile(np.arange(200), 2)
    twice = np.vstack([features, features]).astype(float)
    for classifier in (by_codes, by_features):
        for sources, anchors in ((source, np.arange(400)), (np.arange(400) * 7 // 2, source)):
            auc = cross_validated_auc(classifier, twice, planned, sources, anchors)
            assert auc == pytest.approx(0.5, abs=0.12)
