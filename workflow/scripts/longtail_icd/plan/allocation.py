"""How many synthetic notes each anchor gets.

Anchors are the codes below the medium tier. Source: the paper's allocation as its reviews give
it, ``min(alpha * M / ln(n + 5), M)`` with M for codes without a train note; natural logarithm
and floor recovered from the published total (docs/paper.md).
"""

import polars as pl

ANCHOR_TIERS = ("tail", "few_shot", "zero_shot")


def paper_amount(n: pl.Expr, alpha: float, cap: int, offset: float, zero_shot: int) -> pl.Expr:
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
    return pl.when(n == 0).then(pl.lit(zero_shot)).otherwise(amount.floor()).cast(pl.Int64)


def allocate(
    tiers: pl.DataFrame, *, method: str, alpha: float, cap: int, offset: float, zero_shot: int
) -> pl.DataFrame:
    """Return a table `plan/allocation`: every anchor with its number of notes, sorted by code.

    Args:
        tiers: a table `plan/tiers`.
        method: ``paper``, the only one; the configuration's schema checks it.
        alpha: see :func:`paper_amount`, as for the three others.
        cap: the paper's M.
        offset: the paper's 5.
        zero_shot: the paper's M again.
    """
    amounts = {"paper": paper_amount(pl.col("n_train"), alpha, cap, offset, zero_shot)}
    return (
        tiers.filter(pl.col("tier").is_in(ANCHOR_TIERS))
        .select("code", n_synthetic=amounts[method])
        .sort("code")
    )


def summary(allocation: pl.DataFrame) -> str:
    """Return one line for the log: notes and anchors."""
    return f"{allocation['n_synthetic'].sum()} notes for {len(allocation)} anchors"
