"""How figures are written: hand-computed, and never in two ways on one page."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.report import numbers

BOUNDS = st.floats(-1, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "12.3"), (0.0, "0.0"), (1.0, "100.0"), (None, "–"), (math.nan, "–")],
)
def test_points(value, text):
    assert numbers.points(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0421, "+4.2"), (-0.0421, "−4.2"), (0.0, "0.0"), (0.0002, "+0.0"), (-0.0002, "−0.0")],
)
def test_signed_points_tell_a_tiny_difference_from_none(value, text):
    assert numbers.signed_points(value) == text


def test_interval_is_in_brackets_and_empty_without_bounds():
    assert numbers.interval(0.011, 0.075) == "[1.1, 7.5]"
    assert numbers.interval(-0.011, 0.075, signed=True) == "[−1.1, +7.5]"
    assert numbers.interval(None, 0.075) == ""


@given(BOUNDS, BOUNDS)
def test_an_interval_excludes_zero_iff_zero_is_not_between_its_bounds(one, other):
    low, high = min(one, other), max(one, other)
    assert numbers.excludes_zero(low, high) == (not low <= 0 <= high)


def test_count_and_p_value():
    assert numbers.count(89952) == "89,952"
    assert numbers.p_value(0.0004) == "< 0.001"
    assert numbers.p_value(0.0312) == "0.031"
    assert numbers.p_value(None) == "–"
