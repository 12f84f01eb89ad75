"""How figures are written on the page: points with one decimal, intervals in brackets."""

import math

MISSING = "–"


def is_missing(value: float | None) -> bool:
    """Return whether a figure could not be computed (null or NaN)."""
    return value is None or math.isnan(value)


def points(value: float | None) -> str:
    """Write a share as points out of 100. Before: ``0.1234``. After: ``"12.3"``."""
    return MISSING if is_missing(value) else f"{100 * value:.1f}"


def plain(value: float | None, share: bool) -> str:
    """Write a share as points, any other figure with two decimals. Before: ``1.234``, no share.

    After: ``"1.23"``.
    """
    if share:
        return points(value)
    return MISSING if is_missing(value) else f"{value:.2f}"


def signed_points(value: float | None) -> str:
    """Write a difference with its sign. Before: ``0.0421``, ``-0.0421``. After: ``+4.2``, ``−4.2``.

    A difference that rounds to zero keeps its sign (``+0.0``), so that an interval which just
    excludes zero can be told from one which touches it (``0.0``).
    """
    if is_missing(value):
        return MISSING
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{100 * abs(value):.1f}"


def interval(low: float | None, high: float | None, signed: bool = False) -> str:
    """Write an interval. Before: ``0.011, 0.075``. After: ``"[1.1, 7.5]"``; empty if missing."""
    if is_missing(low) or is_missing(high):
        return ""
    write = signed_points if signed else points
    return f"[{write(low)}, {write(high)}]"


def excludes_zero(low: float | None, high: float | None) -> bool | None:
    """Return whether zero lies strictly outside the interval; None without an interval."""
    if is_missing(low) or is_missing(high):
        return None
    return low > 0 or high < 0


def count(value: float | None) -> str:
    """Write a count. Before: ``89952``. After: ``"89,952"``."""
    return MISSING if is_missing(value) else f"{value:,.0f}"


def p_value(value: float | None) -> str:
    """Write a p-value. Before: ``0.0004``, ``0.0312``. After: ``"< 0.001"``, ``"0.031"``."""
    if is_missing(value):
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
