"""The groups of codes that metrics are broken down by: tier, published bin, kind and chapter."""

import numpy as np
import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tiers import TIERS

# Train frequency from which on a code is in a bin: the bins of CoLa-ICD's table 1, 0 apart. GKI-ICD
# prints the same edges for counts over all splits, test included; those bins hold other codes.
BINS = {"> 500": 501, "101-500": 101, "51-100": 51, "11-50": 11, "1-10": 1, "0": 0}


def tier_index(codes: list[str], tiers: pl.DataFrame) -> np.ndarray:
    """Return each code's tier as an index into TIERS: [L].

    Raises:
        UserError: a code is not in the label space.
    """
    tier_of = dict(tiers.select("code", "tier").iter_rows())
    if unknown := set(codes) - tier_of.keys():
        raise UserError(
            f"the model predicts {len(unknown)} codes that plan/tiers lacks, {min(unknown)} among "
            "them; train it again on this label space"
        )
    return np.array([TIERS.index(tier_of[code]) for code in codes], dtype=np.int64)


def code_groups(codes: list[str], tiers: pl.DataFrame, chapters: pl.DataFrame) -> pl.DataFrame:
    """Return each code's group in every family, in label order; null: in none.

    Args:
        codes: in label order.
        tiers: plan/tiers.
        chapters: version, code and chapter of terminology/codes.

    Returns:
        tier, kind, bin, chapter (with its code system before it).
    """
    chapter_of = chapters.unique(["version", "code"])
    bin_of = pl.coalesce(
        pl.when(pl.col("n_train") >= least).then(pl.lit(name)) for name, least in BINS.items()
    )
    return (
        pl.DataFrame({"code": codes})
        .join(tiers, on="code", how="left", maintain_order="left")
        .join(chapter_of, on=["version", "code"], how="left", maintain_order="left")
        .select(
            "tier",
            "kind",
            bin=bin_of,
            chapter=pl.concat_str("version", pl.lit(" "), "chapter"),
        )
    )
