"""How many synthetic notes each anchor gets.

Anchors are the codes below the medium tier. Method ``paper`` is the paper's allocation as its
reviews give it, ``min(alpha * M / ln(n + 5), M)`` with M for codes without a train note; natural
logarithm and floor recovered from the published total (docs/paper.md). The other methods are
ours, to compare with.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import polars as pl

ANCHOR_TIERS = ("tail", "few_shot", "zero_shot")


def _by_frequency(n: pl.Expr, amount: pl.Expr, zero_shot: int) -> pl.Expr:
    """Return ``amount`` rounded down, and ``zero_shot`` where n is 0."""
    return pl.when(n == 0).then(pl.lit(zero_shot)).otherwise(amount.floor()).cast(pl.Int64)


def paper_amount(n: pl.Expr, *, alpha: float, cap: int, offset: float, zero_shot: int) -> pl.Expr:
    """Return ``floor(min(alpha * cap / ln(n + offset), cap))``, and ``zero_shot`` where n is 0.

    With alpha 0.5, cap 50, offset 5, zero_shot 50, before: n = 0, 1, 4, 99; after: 50, 13, 11, 5.

    Args:
        n: train frequency.
        alpha: share of the cap that is spent where the logarithm is 1.
        cap: most notes of a code with train notes (the paper's M).
        offset: added to n inside the logarithm; at least 2, so that the logarithm is positive.
        zero_shot: notes of a code without train notes; the cap does not bound it.
    """
    amount = pl.min_horizontal(alpha * cap / (n + offset).log(), pl.lit(float(cap)))
    return _by_frequency(n, amount, zero_shot)


def uniform_amount(n: pl.Expr, *, notes: int) -> pl.Expr:
    """Return the same number of notes for every code. Before: n = 0, 9; after: 11, 11."""
    return n * 0 + notes


def power_amount(n: pl.Expr, *, exponent: float, cap: int, zero_shot: int) -> pl.Expr:
    """Return ``floor(cap / n ** exponent)``, and ``zero_shot`` where n is 0.

    With exponent 0.5, cap 50, zero_shot 50, before: n = 0, 1, 4, 99; after: 50, 50, 25, 5.

    Args:
        n: train frequency.
        exponent: how fast the notes fall; 1: the more notes, the fewer, in proportion.
        cap: notes of a code with one train note.
        zero_shot: notes of a code without train notes.
    """
    return _by_frequency(n, cap / n.cast(pl.Float64).pow(exponent), zero_shot)


def effective_number_amount(n: pl.Expr, *, beta: float, cap: int, zero_shot: int) -> pl.Expr:
    """Return ``floor(cap / E)`` with E = (1 - beta^n) / (1 - beta), and ``zero_shot`` where n is 0.

    E is the effective number of n samples: what they are worth if each new one overlaps with
    those before. With beta 0.9, cap 50, zero_shot 50, before: n = 0, 1, 4, 99; after: 50, 50, 14,
    5.

    Args:
        n: train frequency.
        beta: 0 makes all codes with train notes alike, towards 1 it is ``power`` with exponent 1.
        cap: notes of a code with one train note.
        zero_shot: notes of a code without train notes.

    Source: Cui et al., Class-balanced loss based on effective number of samples, CVPR 2019, whose
    class weight is 1 / E.
    """
    left = 1 - pl.lit(beta).pow(n)
    return _by_frequency(n, cap * (1 - beta) / left, zero_shot)


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Split a whole number by weights into whole numbers that sum to it exactly.

    Each gets its share rounded down; what is left goes, one each, to the largest remainders, of
    equals to the earlier (the largest-remainder method, after Hamilton). Exact arithmetic.
    Before: 10 by weights 1, 1, 1. After: 4, 3, 3.

    Raises:
        ZeroDivisionError: no weight is above 0.
    """
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact)
    shares = [total * weight / whole for weight in exact]
    amounts = [int(share) for share in shares]
    remainders = [amount - share for amount, share in zip(amounts, shares, strict=True)]
    order = sorted(range(len(shares)), key=remainders.__getitem__)
    for index in order[: total - sum(amounts)]:
        amounts[index] += 1
    return amounts


def budget_amounts(anchors: pl.DataFrame, *, total: int, shares: Mapping[str, float]) -> pl.Series:
    """Return notes that sum to ``total``: split by tier, and evenly among the codes of a tier.

    A tier without codes leaves its share to the others. What does not divide goes to the rarest
    codes of a tier, of equals to the first by name. Before: total 10, shares tail 0.4, few_shot
    0.6, three tail codes, two few_shot codes. After: 2, 1, 1 and 3, 3.

    Args:
        anchors: rows of `plan/tiers`.
        total: notes of all anchors together.
        shares: weight of each tier; they need not sum to 1. If every tier with codes weighs 0, no
            code gets a note.
    """
    codes = anchors.with_row_index("row").sort("n_train", "code")
    by_tier = {tier: group["row"] for (tier,), group in codes.group_by("tier", maintain_order=True)}
    tiers = [tier for tier in ANCHOR_TIERS if tier in by_tier and shares[tier] > 0]
    amounts = [0] * len(anchors)
    for tier, notes in zip(tiers, apportion(total, [shares[one] for one in tiers]), strict=True):
        rows = by_tier[tier]
        for row, amount in zip(rows, apportion(notes, [1] * len(rows)), strict=True):
            amounts[row] = amount
    return pl.Series(amounts, dtype=pl.Int64)


# Methods that look at a code's train frequency alone.
_AMOUNTS: dict[str, Callable[..., pl.Expr]] = {
    "paper": paper_amount,
    "uniform": uniform_amount,
    "power": power_amount,
    "effective_number": effective_number_amount,
}


def allocate(tiers: pl.DataFrame, *, method: str, **settings: Any) -> pl.DataFrame:
    """Return a table `plan/allocation`: every anchor with its number of notes, sorted by code.

    Args:
        tiers: a table `plan/tiers`.
        method: ``paper``, ``uniform``, ``power``, ``effective_number`` or ``budget``.
        settings: the method's own, by name; the configuration's schema checks them.
    """
    anchors = tiers.filter(pl.col("tier").is_in(ANCHOR_TIERS)).sort("code")
    if method == "budget":
        amounts = budget_amounts(anchors, **settings)
    else:
        amounts = _AMOUNTS[method](pl.col("n_train"), **settings)
    return anchors.select("code", n_synthetic=amounts)


def summary(allocation: pl.DataFrame) -> str:
    """Return one line for the log: notes and anchors."""
    return f"{allocation['n_synthetic'].sum()} notes for {len(allocation)} anchors"
