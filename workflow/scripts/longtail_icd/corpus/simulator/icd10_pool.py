"""The ICD-10 codes of a simulated hospital in MIMIC-IV's format."""

import numpy as np
import polars as pl

from longtail_icd.common.code_systems import icd10_titles
from longtail_icd.common.codes import category
from longtail_icd.common.errors import UserError

# 223,107 procedure rows over 154,076 admissions, beside 16.1 labels per document.
PROCEDURE_SHARE = 0.09
SYSTEMS = {"icd10cm": "diagnosis", "icd10pcs": "procedure"}


def _system(version: str) -> pl.DataFrame:
    """Return a system's codes; a diagnosis's chapter is its letter, all procedures share one."""
    kind, code = SYSTEMS[version], pl.col("code")
    return icd10_titles(version).select(
        "code",
        "title",
        kind=pl.lit(kind),
        version=pl.lit(version),
        short_title=pl.col("title").str.head(60),
        category=category(code, version, kind),
        chapter=code.str.head(1) if kind == "diagnosis" else pl.lit("procedures"),
        cluster=code.str.head(code.str.len_chars() - 1),
    )


def draw_icd10_pool(rng: np.random.Generator, codes: int) -> pl.DataFrame:
    """Draw the hospital's ICD-10-CM and ICD-10-PCS codes: whole groups of siblings.

    Returns:
        The columns of :func:`longtail_icd.corpus.simulator.code_pool.draw_pool` and version.

    Raises:
        UserError: more codes than both systems have.
    """
    leaves = pl.concat(_system(version) for version in SYSTEMS)
    if codes > leaves.height:
        raise UserError(
            f"configuration: corpus.simulation.icd10.codes: {codes}; ICD-10-CM and ICD-10-PCS "
            f"have {leaves.height} codes"
        )
    clusters = leaves.select("kind", "cluster").unique().sort("kind", "cluster")
    clusters = clusters.with_columns(order=pl.Series(rng.random(clusters.height)))
    return (
        leaves.join(clusters, on=["kind", "cluster"])
        .sort("order", "code")
        .head(codes)
        .drop("order")
        .sort("kind", "code")
    )
