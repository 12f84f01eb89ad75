"""Estimates and measures of variety: hand-computed values and laws."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.generation.quality.estimates import mean, median, proportion, ratio
from longtail_icd.generation.quality.variety import distinct, entropy, ngrams, self_bleu

NOTES = st.lists(st.lists(st.sampled_from("abc"), max_size=12), min_size=2, max_size=6)


def test_estimates_by_hand():
    assert mean([1, 2, 6]).value == 3
    assert median([1, 2, 6]).value == 2
    found = ratio([1, 0, 5], [2, 0, 8])
    assert (found.value, found.n) == (0.6, 10)
    wilson = proportion(8, 10)  # by the formula, z = 1.959964
    assert wilson.value == 0.8
    assert wilson.ci_low == pytest.approx(0.4901624, abs=1e-6)
    assert wilson.ci_high == pytest.approx(0.9433178, abs=1e-6)


def test_nothing_to_estimate_is_no_error_and_one_note_has_no_interval():
    for found in (mean([]), median([]), ratio([0], [0]), proportion(0, 0)):
        assert (found.value, found.n, found.ci_low) == (None, 0, None)
    assert mean([4]).ci_low is None


def test_intervals_hold_the_mean_of_95_percent_of_samples():
    generator = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        found = mean(generator.normal(size=60))
        hits += found.ci_low <= 0 <= found.ci_high
    assert 180 <= hits <= 199


def test_a_ratios_interval_is_wider_where_notes_and_not_codes_differ():
    """Codes of one note go together: 20 notes of 10 codes are not 200 observations."""
    together = ratio([10, 0] * 10, [10] * 20)
    apart = proportion(100, 200)
    assert together.ci_high - together.ci_low > 2 * (apart.ci_high - apart.ci_low)


def test_distinct_by_hand():
    notes = [["a", "b", "a"], ["a", "b"]]
    assert distinct(notes, 1, 100) == (2 / 5, 5)
    assert distinct(notes, 2, 100) == (2 / 3, 3)  # ab, ba, ab; none across the notes
    assert distinct(notes, 1, 4) == (2 / 4, 4)
    assert distinct([[]], 1, 4) == (None, 0)


def test_entropy_by_hand():
    assert entropy([("a",), ("a",)]) == 0
    assert entropy([("a", "b"), ("b", "a"), ("a",), ()]) == 2


def test_self_bleu_by_hand():
    copies = [list("abcdef")] * 2
    assert self_bleu(copies).tolist() == [1, 1]
    assert self_bleu([list("abcdef"), list("uvwxyz")]).tolist() == [0, 0]
    # abcde against abcdf: 4 of 5, 3 of 4, 2 of 3, 1 of 2.
    expected = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert self_bleu([list("abcde"), list("abcdf")]).tolist() == pytest.approx([expected] * 2)
    # abcd is whole within abcde, but shorter.
    assert self_bleu([list("abcd"), list("abcde")])[0] == pytest.approx(math.exp(1 - 5 / 4))


def plain_bleu(note, others):
    """BLEU-4 as its paper writes it, all references at once."""
    logs = []
    for length in range(1, 5):
        counts = Counter(ngrams(note, length))
        most = Counter()
        for other in others:
            most |= Counter(ngrams(other, length))
        clipped = sum((counts & most).values())
        if not clipped:
            return 0.0
        logs.append(math.log(clipped / sum(counts.values())))
    closest = min((abs(len(other) - len(note)), len(other)) for other in others)[1]
    penalty = 1 if len(note) >= closest else math.exp(1 - closest / len(note))
    return penalty * math.exp(sum(logs) / 4)


@given(NOTES)
def test_self_bleu_is_bleu_against_all_others(notes):
    expected = [
        plain_bleu(note, notes[:place] + notes[place + 1 :]) for place, note in enumerate(notes)
    ]
    assert self_bleu(notes).tolist() == pytest.approx(expected)
