"""Codes of ICD-9-CM that must not be used together, as the Excludes1 notes of ICD-10-CM have it.

The Excludes notes of ICD-9-CM itself are on no list here, so the notes of its successor are
carried over by the general equivalence mapping (GEM). Two codes exclude each other where every
counterpart of the one excludes every counterpart of the other.
"""

import polars as pl

from longtail_icd.common.code_systems import gem_combinations, gem_diagnoses
from longtail_icd.terminology.lookup import Ancestors


def single_counterparts() -> pl.DataFrame:
    """Return ICD-9-CM diagnoses with their ICD-10-CM counterparts: columns code, target; sorted.

    Codes whose counterpart may be several codes together are left out.
    """
    together = gem_combinations().select("code").unique()
    return gem_diagnoses().join(together, on="code", how="anti").sort("code", "target")


def excluding_pairs(excludes: pl.DataFrame, codes: pl.Series, ancestors: Ancestors) -> pl.DataFrame:
    """Return the pairs of the given codes that exclude each other by themselves or from above.

    Before: E11 excludes E10; the codes E11.9, E10.9. After: (E11.9, E10.9), (E10.9, E11.9).

    Args:
        excludes: rows of `terminology/excludes` of the codes' system.
        codes: each once.
        ancestors: of the codes' system.

    Returns:
        Columns a, b (both ways round) and note, the first of a pair's notes.
    """
    below = ancestors.nodes_of(codes)
    one_way = (
        excludes.join(below.rename({"code": "a"}), left_on="code", right_on="node")
        .join(below.rename({"code": "b"}), left_on="excluded", right_on="node")
        .select("a", "b", "note")
    )
    other_way = one_way.select(a="b", b="a", note="note")
    return pl.concat([one_way, other_way]).group_by("a", "b").agg(pl.col("note").min())


def map_excludes(
    excludes: pl.DataFrame, counterparts: pl.DataFrame, ancestors: Ancestors
) -> pl.DataFrame:
    """Carry Excludes1 notes of ICD-10-CM over to the codes of ICD-9-CM.

    Before: E11 excludes E10; 250.00 is E11.9, 250.01 is E10.9, 250.10 is E11.69 or E13.10.
    After: 250.00 excludes 250.01; 250.01 excludes 250.10 only if E10 excludes E13, too.

    Args:
        excludes: rows of `terminology/excludes`, icd10cm.
        counterparts: columns code (icd9cm), target (icd10cm).
        ancestors: of icd10cm.

    Returns:
        A table `terminology/excludes`: pairs of codes, ``code`` < ``excluded``; the note is the
        first of those that were carried over.
    """
    pairs = excluding_pairs(excludes, counterparts["target"].unique(), ancestors)
    size = counterparts.group_by("code").len("size")
    return (
        pairs.join(counterparts, left_on="a", right_on="target")
        .join(counterparts, left_on="b", right_on="target", suffix="_b")
        .filter(pl.col("code") < pl.col("code_b"))
        .group_by("code", "code_b")
        .agg(pl.len(), pl.col("note").min())
        .join(size, on="code")
        .join(size, left_on="code_b", right_on="code", suffix="_b")
        .filter(pl.col("len") == pl.col("size") * pl.col("size_b"))
        .select(
            version=pl.lit("icd9cm"),
            code="code",
            excluded="code_b",
            note=pl.lit("carried over from ICD-10-CM: ") + pl.col("note"),
        )
        .sort("code", "excluded")
    )
