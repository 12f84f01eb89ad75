"""How many synonyms the codes have, by tier, and which source they come from."""

import polars as pl

from longtail_icd.report.glossary import ALL_CODES, TIERS
from longtail_icd.report.numbers import count
from longtail_icd.report.tables import PageTable, tier_name

_CLASSES = {
    "0": pl.col("synonyms") == 0,
    "1": pl.col("synonyms") == 1,
    "2–4": pl.col("synonyms").is_between(2, 4),
    "5 or more": pl.col("synonyms") >= 5,
}


def synonyms_per_code(synonyms: pl.DataFrame, tiers: pl.DataFrame) -> pl.DataFrame:
    """Return the codes of the label space with their number of synonyms.

    Args:
        synonyms: table ``terminology/synonyms``.
        tiers: table ``plan/tiers``.

    Returns:
        Columns code, tier, synonyms.
    """
    counts = synonyms.group_by("version", "code").agg(synonyms=pl.len())
    joined = tiers.join(counts, on=["version", "code"], how="left", maintain_order="left")
    return joined.select("code", "tier", pl.col("synonyms").fill_null(0))


def coverage_table(synonyms: pl.DataFrame, tiers: pl.DataFrame) -> PageTable:
    """Codes with 0, 1, 2 to 4, and 5 or more synonyms, by tier."""
    counts = synonyms_per_code(synonyms, tiers)
    rows = []
    for tier in (*TIERS, ALL_CODES):
        own = counts if tier == ALL_CODES else counts.filter(tier=tier)
        sizes = [own.filter(size).height for size in _CLASSES.values()]
        rows.append([tier_name(tier), *(count(number) for number in [own.height, *sizes])])
    return PageTable(
        "Codes of the label space by the number of their synonyms",
        ["tier", "codes", *(f"{one} synonyms" for one in _CLASSES)],
        rows,
    )


def source_table(synonyms: pl.DataFrame, tiers: pl.DataFrame) -> PageTable:
    """Synonyms of the label space by source; what several sources say counts for the best."""
    own = synonyms.join(tiers, on=["version", "code"], how="semi")
    several = pl.col("source").n_unique().over("version", "code") > 1
    rows = (
        own.with_columns(alone=~several)
        .group_by("source")
        .agg(
            pl.len(),
            pl.col("code").n_unique().alias("codes"),
            pl.col("code").filter("alone").n_unique().alias("alone"),
        )
        .sort(["len", "source"], descending=[True, False])
    )
    return PageTable(
        "Synonyms of the label space by source",
        ["source", "synonyms", "codes with any", "codes with no other source"],
        [
            [source.replace("_", " "), *(count(number) for number in numbers)]
            for source, *numbers in rows.iter_rows()
        ],
    )
