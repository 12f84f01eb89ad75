"""What a train set adds to the real notes, and when it is trained on."""

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.config import TRAIN_SET_DEFAULTS
from longtail_icd.common.errors import UserError
from longtail_icd.training.batches import LengthGroupedSampler, TokenDataset
from longtail_icd.training.schedule import ORDERS, added_per_epoch, visits_of
from longtail_icd.training.train_set import (
    add_notes,
    assemble,
    keep_dose,
    mask_unverified,
    permute_anchors,
    repeat_sources,
)

IDS = pl.List(pl.Int32)
NO_IDS = pl.lit([], dtype=IDS)


def _notes(anchors, first=0):
    """Return notes with an anchor and a companion 100 + row each; note_id and token are the row."""
    rows = range(first, first + len(anchors))
    return pl.DataFrame(
        {
            "note_id": [str(row) for row in rows],
            "input_ids": [[row] for row in rows],
            "label_ids": [[anchor, 100 + row] for anchor, row in zip(anchors, rows, strict=True)],
            "anchor_id": anchors,
        },
        schema_overrides={"input_ids": IDS, "label_ids": IDS, "anchor_id": pl.Int32},
    )


def _options(**changes):
    return TRAIN_SET_DEFAULTS | changes


def test_the_default_is_plain_concatenation_in_the_order_it_always_had():
    """Real notes, then each recipe's, all of weight 1, each once an epoch: the paper's recipe."""
    real, first, second = _notes([0, 1]), _notes([2, 3], 2), _notes([4], 4)
    added = add_notes([first, second], _options(), real)
    notes, weights = assemble(real, added, _options(), seed=1)
    assert notes.select(real.columns).equals(pl.concat([real, first, second]))
    assert notes["guideline_labels"].to_list() == notes["label_ids"].to_list()
    assert weights.tolist() == [1.0] * 5
    dataset = TokenDataset(notes, weights)
    assert "masked_ids" not in dataset[0]  # no label is masked: the loss is the plain one
    assert visits_of("concatenate", 2, 5, 3, 1) is None
    # The order of seed 1, epoch 0, by NumPy's own permutation: no group is larger than the set.
    order = np.random.default_rng((1, 0)).permutation(5)
    assert list(LengthGroupedSampler(np.ones(5), 5, 1)) == order.tolist()


def test_a_train_set_without_recipes_is_the_real_notes():
    real = _notes([0, 1])
    notes, weights = assemble(real, [], _options(), seed=1)
    assert notes.select(real.columns).equals(real)
    assert weights.tolist() == [1.0, 1.0]


def test_a_weight_is_that_of_added_notes_only():
    real, added = _notes([0, 1]), [_notes([2], 2), _notes([3], 3)]
    assert assemble(real, added, _options(weight=0.5), 1)[1].tolist() == [1, 1, 0.5, 0.5]


def test_real_notes_can_be_passed_through_several_times_and_stay_as_they_are():
    real, added = _notes([0, 1]), [_notes([2, 3], 2)]
    options = _options(real_passes=3, weight=0.5, permute_anchors=True)
    notes, weights = assemble(real, added, options, seed=1)
    assert notes[:6].select(real.columns).equals(pl.concat([real] * 3))
    assert notes["anchor_id"].to_list()[6:] == [3, 2]
    assert weights.tolist() == [1.0] * 6 + [0.5] * 2


@given(
    st.lists(st.integers(0, 4), max_size=30),
    st.lists(st.sampled_from([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]), min_size=2, max_size=2),
)
def test_a_dose_is_a_share_of_each_anchor_s_notes_and_part_of_every_larger_dose(anchors, doses):
    notes, (less, more) = _notes(anchors), sorted(doses)
    small, large = (keep_dose(notes, dose) for dose in (less, more))
    assert set(small["note_id"]) <= set(large["note_id"])
    for anchor in set(anchors):
        share = less * anchors.count(anchor)
        kept = small.filter(anchor_id=anchor).height
        assert np.floor(share) <= kept <= np.ceil(share)
    assert keep_dose(notes, 1).equals(notes)
    assert keep_dose(notes, 0).is_empty()
    assert small["note_id"].to_list() == sorted(small["note_id"], key=int)


def test_a_dose_does_not_depend_on_the_order_of_the_rows():
    notes = _notes([row % 7 for row in range(40)])
    kept = keep_dose(notes, 0.4)["note_id"]
    assert set(keep_dose(notes.reverse(), 0.4)["note_id"]) == set(kept)


def test_a_dose_gives_anchors_with_one_note_their_share_on_average():
    """Rounded always down, a quarter of one note would be none, for all rare codes alike."""
    assert keep_dose(_notes(list(range(2000))), 0.25).height == pytest.approx(500, abs=60)


def _code_sets(rows):
    return pl.DataFrame(rows, schema=["request_id", "strategy", "source_note_id"], orient="row")


def test_oversampling_repeats_the_cloned_notes_as_often_as_they_were_cloned(capsys):
    real = _notes([None, None, None])
    synthetic = _notes([7, 7, 8, 9], first=10)
    code_sets = _code_sets(
        [
            ("13", "sibling_parent", "1"),  # other codes than its source's: nothing to repeat
            ("10", "clone", "2"),
            ("11", "clone", "0"),
            ("12", "clone", "2"),
            ("99", "clone", "1"),  # rejected by the screening: not among the notes
        ]
    )
    copies = repeat_sources(real, synthetic, code_sets)
    assert copies["note_id"].to_list() == ["2", "0", "2"]
    assert copies["input_ids"].to_list() == [[2], [0], [2]]
    assert copies["label_ids"].to_list() == [[None, 102], [None, 100], [None, 102]]
    assert copies["anchor_id"].to_list() == [7, 7, 8]
    assert "3 of 4 synthetic notes replaced" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"train_sets.\*.oversample: no note of the recipe"):
        repeat_sources(real, synthetic, _code_sets([("10", "anchor", None)]))


def test_oversampling_follows_the_dose():
    real, synthetic = _notes([0, 1]), _notes([5] * 8, first=10)
    code_sets = _code_sets([(str(10 + row), "clone", str(row % 2)) for row in range(8)])
    options = _options(oversample=True, dose=0.5)
    assert [copies.height for copies in add_notes([synthetic], options, real, [code_sets])] == [4]


CODES = ["a", "b", "c"]
SCREENED = pl.DataFrame(
    [
        ("0", "a", "anchor", "not_found", 1.0),
        ("0", "b", "companion", "stated", 1.0),
        ("0", "c", "companion", "not_found", 1.0),
        ("0", "gone", "companion", "not_found", 1.0),  # outside the label space
        ("9", "a", "companion", "not_found", 1.0),  # of a note that is not trained on
    ],
    schema=["request_id", "code", "role", "verdict", "weight"],
    orient="row",
)


def _note_with_three_labels():
    return _notes([0]).with_columns(label_ids=pl.lit([0, 1, 2], dtype=IDS))


def test_companions_that_screening_did_not_find_are_masked_and_the_anchor_never():
    masked = mask_unverified(_note_with_three_labels(), SCREENED, CODES)
    assert masked["label_ids"].to_list() == [[0, 1]]
    assert masked["masked_ids"].to_list() == [[2]]


@pytest.mark.parametrize(
    ("role", "verdict", "weight", "labels", "masked"),
    [
        ("companion", "stated", 1.0, [[0, 1]], [[]]),
        ("companion", "quoted", 1.0, [[0, 1]], [[]]),
        ("companion", "not_found", 1.0, [[0]], [[1]]),
        ("companion", "negated", 1.0, [[0]], [[1]]),
        ("extra", "extra", 1.0, [[0, 1]], [[]]),
        # The note contradicts it: tokenising has left it out, and it is wrong, not open.
        ("companion", "dropped", 0.0, [[0]], [[]]),
    ],
)
def test_what_each_verdict_does_to_a_label(role, verdict, weight, labels, masked):
    ids = [0, 1] if weight else [0]
    notes = _notes([0]).with_columns(label_ids=pl.lit(ids, dtype=IDS))
    rows = [("0", "a", "anchor", "stated", 1.0), ("0", "b", role, verdict, weight)]
    screened = pl.DataFrame(rows, schema=SCREENED.schema, orient="row")
    after = mask_unverified(notes, screened, CODES)
    assert after["label_ids"].to_list() == labels
    assert after["masked_ids"].to_list() == masked


def test_a_masked_label_is_in_no_guideline_and_real_notes_mask_nothing():
    real, synthetic = _notes([3], first=50), _note_with_three_labels()
    options = _options(companions="anchor")
    notes, _ = assemble(real, [synthetic], options, 1, [SCREENED], CODES)
    assert notes["masked_ids"].to_list() == [[], [2]]
    assert notes["guideline_labels"].to_list() == [[3, 150], [0, 1]]
    assert TokenDataset(notes)[1]["masked_ids"] == [2]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(0, 9))
def test_permutation_moves_every_anchor_that_can_move(anchors, seed):
    """Also: texts and companions stay, and the multiset of anchors does."""
    before = _notes(anchors).with_columns(masked_ids=NO_IDS)
    after = permute_anchors(before, seed)
    new = after["anchor_id"].to_list()
    assert sorted(new) == sorted(anchors)
    most = max(anchors.count(anchor) for anchor in anchors)
    kept = sum(old == anchor for old, anchor in zip(anchors, new, strict=True))
    assert kept == max(0, 2 * most - len(anchors))
    assert after["input_ids"].equals(before["input_ids"])
    companions = [[100 + row] for row in range(len(anchors))]
    assert [labels[1:] for labels in after["label_ids"].to_list()] == companions
    assert [labels[0] for labels in after["label_ids"].to_list()] == new


def test_permutation_scatters_the_notes_of_an_anchor():
    """Notes of one anchor under one other anchor would be a consistent lesson, not a control."""
    notes = _notes([row // 10 for row in range(100)]).with_columns(masked_ids=NO_IDS)
    new = np.array(permute_anchors(notes, 1)["anchor_id"]).reshape(10, 10)
    assert all(len(set(group)) > 3 for group in new.tolist())
    assert not permute_anchors(notes, 2)["anchor_id"].equals(pl.Series(new.ravel()))


def test_a_permuted_note_keeps_the_guideline_it_was_written_with():
    """A guideline made from the new anchor would teach that anchor's wording: no control."""
    real, synthetic = _notes([0, 1]), _notes([2, 3, 4], 2)
    notes, _ = assemble(real, [synthetic], _options(permute_anchors=True), seed=1)
    written_for = pl.concat([real, synthetic])["label_ids"]
    assert notes["guideline_labels"].to_list() == written_for.to_list()
    assert notes["label_ids"][2:].to_list() != written_for[2:].to_list()


def test_a_new_anchor_is_trained_on_also_where_it_was_a_masked_companion():
    notes = _notes([0, 1]).with_columns(masked_ids=pl.Series([[1, 2], [5]], dtype=IDS))
    permuted = permute_anchors(notes, seed=1)
    assert permuted["anchor_id"].to_list() == [1, 0]
    assert permuted["masked_ids"].to_list() == [[2], [5]]


@pytest.mark.parametrize(
    ("order", "real", "expected"),
    [
        ("concatenate", 6, [4, 4]),
        ("synthetic_then_real", 6, [8, 0]),
        ("annealed", 6, [6, 2]),  # density 0.8 (1 - t): 20 x (0.8 x 0.5 - 0.4 x 0.25) = 6
        ("annealed", 2, [9, 7]),  # share 0.8: density 1 - 0.4 t, 20 x (0.5 - 0.2 x 0.25) = 9
        ("synthetic_then_real", 2, [10, 6]),
        ("annealed", 10, [0, 0]),
        ("annealed", 0, [10, 10]),
    ],
)
def test_added_notes_per_epoch_by_hand(order, real, expected):
    assert added_per_epoch(order, real, 10, 2) == expected


@given(st.sampled_from(sorted(ORDERS)), st.integers(0, 12), st.integers(0, 12), st.integers(1, 9))
def test_every_order_visits_each_note_as_often_as_there_are_epochs(order, real, added, epochs):
    """So orders differ in when a note is seen, not in how often: steps stay comparable."""
    if real + added == 0:
        return
    counts = added_per_epoch(order, real, real + added, epochs)
    assert sum(counts) == added * epochs
    assert all(0 <= count <= real + added for count in counts)
    if order != "concatenate":
        visits = visits_of(order, real, real + added, epochs, seed=3)
        seen = np.concatenate([visits(epoch) for epoch in range(epochs)])
        assert np.bincount(seen, minlength=real + added).tolist() == [epochs] * (real + added)
        # They fall, but for what rounding to whole notes does.
        assert all(later <= before + 1 for before, later in itertools.pairwise(counts))
        assert np.array_equal(visits(0), visits_of(order, real, real + added, epochs, 3)(0))
