"""Code sets: the cloned note, the swapped sibling, and the laws of the draws."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES
from longtail_icd.plan.code_sets import build_code_sets, summary, wanted_requests
from longtail_icd.plan.pools import LEVELS

# code: parent, category, block, chapter. Two codes of a subcategory, one beside it in the same
# category, one in the same block, one in the same chapter, one elsewhere.
PLACES = {
    "100.11": ("100.1", "100", "100-109", "I"),
    "100.12": ("100.1", "100", "100-109", "I"),
    "100.2": ("100", "100", "100-109", "I"),
    "105.0": ("105", "105", "100-109", "I"),
    "110.0": ("110", "110", "110-119", "I"),
    "400.0": ("400", "400", "400-409", "II"),
}
UNKNOWN = "999.9"  # in the label space, not in the taxonomy
SPACE = sorted([*PLACES, UNKNOWN])

TAXONOMY = pl.DataFrame(
    [
        ("icd9cm", code, "diagnosis", code, "official", *place, True)
        for code, place in PLACES.items()
    ],
    schema=TABLES["terminology/codes"].columns,
    orient="row",
)
TIERS = pl.DataFrame(
    [("icd9cm", code, "diagnosis", 0, "zero_shot") for code in SPACE],
    schema=TABLES["plan/tiers"].columns,
    orient="row",
)


def labels_of(notes: dict[str, list[str]]) -> pl.DataFrame:
    rows = [
        (note, "icd9cm", code, "diagnosis", position)
        for note, codes in notes.items()
        for position, code in enumerate(codes, start=1)
    ]
    return pl.DataFrame(rows, schema=TABLES["corpus/labels"].columns, orient="row")


def allocation_of(amounts: dict[str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        list(amounts.items()), schema=TABLES["plan/allocation"].columns, orient="row"
    )


def build(
    notes: dict[str, list[str]], amounts: dict[str, int], strategy: str = "paper", seed: int = 1
) -> pl.DataFrame:
    return build_code_sets(
        labels_of(notes), TIERS, TAXONOMY, allocation_of(amounts), strategy=strategy, seed=seed
    )


NOTES = st.dictionaries(
    st.integers(1, 99).map(str),
    st.lists(st.sampled_from([*SPACE, "777.7"]), min_size=1, max_size=5, unique=True),
    max_size=8,
)
AMOUNTS = st.dictionaries(st.sampled_from(SPACE), st.integers(0, 12), max_size=5)


def test_clones_the_whole_set_inside_the_label_space():
    """777.7 is not in the label space and does not come along."""
    code_sets = build({"1": ["400.0", "777.7", "100.2"]}, {"100.2": 1})
    row = code_sets.row(0, named=True)
    assert row["codes"] == ["100.2", "400.0"]
    assert (row["anchor"], row["strategy"], row["source_note_id"]) == ("100.2", "clone", "1")
    assert row["reserve"] is False
    assert code_sets.schema == pl.Schema(TABLES["plan/code_sets"].columns)


@pytest.mark.parametrize(
    ("sibling", "strategy"),
    [
        ("100.12", "sibling_parent"),
        ("100.2", "sibling_category"),
        ("105.0", "sibling_block"),
        ("110.0", "sibling_chapter"),
    ],
)
def test_swaps_the_sibling_of_the_nearest_level(sibling, strategy):
    """The example of the author's slides: the sibling goes, the anchor comes, the rest stays."""
    code_sets = build({"1": [sibling, "400.0"], "2": ["400.0"]}, {"100.11": 2})
    assert code_sets["codes"].to_list() == [["100.11", "400.0"]] * 2
    assert code_sets["strategy"].to_list() == [strategy] * 2
    assert code_sets["source_note_id"].to_list() == ["1", "1"]


def test_nearer_siblings_win():
    """A trained code of the same parent keeps a code of the same category from being used."""
    notes = {"1": ["100.2"], "2": ["100.2", "400.0"], "3": ["100.12"]}
    code_sets = build(notes, {"100.11": 6})
    assert code_sets["source_note_id"].unique().to_list() == ["3"]


def test_siblings_of_another_kind_or_version_do_not_count():
    labels = labels_of({"1": ["100.12"]})
    for column, other in (("kind", "procedure"), ("version", "icd10cm")):
        value = pl.lit(other)
        changed = pl.col("code") == "100.12"
        swap = pl.when(changed).then(value).otherwise(column).alias(column)
        code_sets = build_code_sets(
            labels.with_columns(swap),
            TIERS.with_columns(swap),
            TAXONOMY.with_columns(swap),
            allocation_of({"100.11": 1}),
            strategy="paper",
            seed=1,
        )
        assert code_sets["strategy"].to_list() == ["alone"]


def test_unknown_codes_stand_below_their_nearest_known_prefix():
    """100.23 is in no taxonomy and 100.2 is: its siblings are there, and it is one of theirs."""
    added = TIERS.head(1).with_columns(code=pl.lit("100.23"))
    tiers = pl.concat([TIERS, added])
    for trained, anchor in (("100.11", "100.23"), ("100.23", "100.11")):
        code_sets = build_code_sets(
            labels_of({"1": [trained, "400.0"]}),
            tiers,
            TAXONOMY,
            allocation_of({anchor: 1}),
            strategy="paper",
            seed=1,
        )
        assert code_sets.row(0, named=True)["codes"] == sorted([anchor, "400.0"])
        assert code_sets["strategy"].item() == "sibling_category"


def test_without_siblings_the_anchor_stands_alone_and_is_counted():
    code_sets = build({"1": ["400.0"]}, {"100.11": 2, "400.0": 1})
    alone = code_sets.filter(pl.col("anchor") == "100.11")
    assert alone["codes"].to_list() == [["100.11"]] * 2
    assert alone["strategy"].to_list() == ["alone"] * 2
    assert alone["source_note_id"].null_count() == 2
    assert summary(code_sets) == "3 code sets: alone 2, clone 1"


def test_several_siblings_in_a_note_are_each_replaced_at_times():
    """Only codes of the level found are replaced, one per set: 100.2 stands nearer than 105.0."""
    chapter = build({"1": ["100.11", "100.12"]}, {"110.0": 40})
    assert set(chapter["codes"].list.join(" ")) == {"100.11 110.0", "100.12 110.0"}
    category = build({"1": ["100.2", "105.0"]}, {"100.12": 40})
    assert set(category["codes"].list.join(" ")) == {"100.12 105.0"}


def test_strategy_anchor_is_the_anchor_alone():
    code_sets = build({"1": ["100.2", "400.0"]}, {"100.2": 2, "110.0": 1}, strategy="anchor")
    assert code_sets["codes"].to_list() == [["100.2"], ["100.2"], ["110.0"]]
    assert set(code_sets["strategy"]) == {"anchor"}
    assert code_sets["source_note_id"].null_count() == 3


def test_request_ids_and_draws_are_the_same_on_every_machine():
    """Stored answers are found again by their request: neither may drift with a version."""
    code_sets = build({str(note): ["400.0"] for note in range(8)}, {"400.0": 3, "100.11": 1})
    assert code_sets.select("request_id", "anchor", "source_note_id").rows() == [
        ("60e398732b188112", "100.11", None),
        ("509cfc5b3387e043", "400.0", "4"),
        ("d358b5453f0b81b6", "400.0", "6"),
        ("cf84f4b302f02405", "400.0", "1"),
    ]


def test_another_seed_draws_other_notes():
    notes = {str(note): ["400.0"] for note in range(50)}
    drawn = [build(notes, {"400.0": 10}, seed=seed)["source_note_id"].to_list() for seed in (1, 2)]
    assert drawn[0] != drawn[1]


def test_first_draw_is_uniform_over_the_notes():
    """400 seeds over 4 notes: each note comes first about 100 times (5 standard deviations)."""
    notes = {str(note): ["400.0"] for note in range(4)}
    first = Counter(
        build(notes, {"400.0": 1}, seed=seed)["source_note_id"].item() for seed in range(400)
    )
    assert all(abs(count - 100) < 44 for count in first.values())
    assert len(first) == 4


@settings(deadline=None)
@given(NOTES, AMOUNTS, st.integers(0, 5))
def test_laws_of_every_set(notes, amounts, seed):
    """Contains its anchor; a clone is a note's set; a swap is a note's set with one sibling
    out and the anchor in, from the nearest trained level; as many rows as allocated."""
    code_sets = build(notes, amounts, seed=seed)
    inside = {note: {code for code in codes if code in SPACE} for note, codes in notes.items()}
    trained = set().union(*inside.values())
    for row in code_sets.iter_rows(named=True):
        anchor, codes, note = row["anchor"], set(row["codes"]), row["source_note_id"]
        assert anchor in codes
        assert row["codes"] == sorted(codes)
        if anchor in trained:
            assert row["strategy"] == "clone"
            assert codes == inside[note]
            continue
        levels = [
            {code for code in trained & set(PLACES) if PLACES[code][index] == place}
            for index, place in enumerate(PLACES.get(anchor, ()))
        ]
        nearest = next(
            (pair for pair in zip(LEVELS, levels, strict=False) if pair[1]), ("alone", None)
        )
        if nearest[0] == "alone":
            assert (row["strategy"], codes, note) == ("alone", {anchor}, None)
            continue
        assert row["strategy"] == f"sibling_{nearest[0]}"
        (replaced,) = inside[note] - codes
        assert replaced in nearest[1]
        assert codes - {anchor} == inside[note] - {replaced}
    rows = dict(code_sets["anchor"].value_counts().iter_rows())
    assert rows == {anchor: amount for anchor, amount in amounts.items() if amount}
    assert code_sets["request_id"].n_unique() == len(code_sets)
    assert code_sets["request_id"].str.contains("^[0-9a-f]{16}$").all()


@settings(deadline=None)
@given(NOTES, AMOUNTS)
def test_notes_come_without_replacement_until_exhausted(notes, amounts):
    """No note is drawn twice before every other note of the pool was drawn once."""
    code_sets = build(notes, amounts).drop_nulls("source_note_id")
    for _, one in code_sets.group_by("anchor"):
        counts = Counter(one["source_note_id"])
        assert max(counts.values()) - min(counts.values()) <= 1
        anchor = one["anchor"][0]
        holders = sum(anchor in codes for codes in notes.values())
        if holders:
            assert len(counts) == min(len(one), holders)


@settings(deadline=None)
@given(NOTES, AMOUNTS, st.randoms(use_true_random=False))
def test_row_order_of_the_inputs_changes_nothing(notes, amounts, generator):
    def shuffled(frame):
        order = list(range(len(frame)))
        generator.shuffle(order)
        return frame[order]

    inputs = labels_of(notes), TIERS, TAXONOMY, allocation_of(amounts)
    expected = build_code_sets(*inputs, strategy="paper", seed=1)
    moved = build_code_sets(*(shuffled(one) for one in inputs), strategy="paper", seed=1)
    assert moved.equals(expected)


@settings(deadline=None)
@given(NOTES, AMOUNTS, st.sampled_from(SPACE))
def test_an_anchor_more_changes_no_other_anchors_requests(notes, amounts, added):
    fewer = {anchor: amount for anchor, amount in amounts.items() if anchor != added}
    others = build(notes, {**fewer, added: 4}).filter(pl.col("anchor") != added)
    assert others.equals(build(notes, fewer))


@settings(deadline=None)
@given(NOTES, st.sampled_from(SPACE), st.integers(0, 10), st.integers(0, 10))
def test_a_larger_allocation_keeps_the_requests_of_a_smaller(notes, anchor, amount, more):
    smaller = build(notes, {anchor: amount})
    assert build(notes, {anchor: amount + more}).head(amount).equals(smaller)


@pytest.mark.parametrize(
    ("notes", "reserve", "extra"), [(12, 0.2, 3), (30, 0.1, 3), (1, 0.2, 1), (0, 0.5, 0), (7, 0, 0)]
)
def test_reserve_is_a_share_of_the_allocated_rounded_up(notes, reserve, extra):
    anchors = pl.DataFrame({"code": ["400.0"], "n_synthetic": [notes]})
    requests = wanted_requests(anchors, reserve)
    assert requests["ordinal"].to_list() == list(range(notes + extra))
    assert requests["reserve"].to_list() == [False] * notes + [True] * extra
