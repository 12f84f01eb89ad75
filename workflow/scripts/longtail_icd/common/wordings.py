"""Other wordings of codes that the public code systems offer, without UMLS.

The terminology stage turns them into synonyms. The simulated hospital draws a part of its own
wordings from the same source, so that synonyms and notes overlap in part, as in life.
"""

import polars as pl

from longtail_icd.common.code_systems import gem_diagnoses, icd9_titles, icd10_titles, icd10cm_terms

# Words of the classification that no one says at the bedside.
UNSPOKEN = (
    r"\([^()]*\)|\[[^\[\]]*\]|,\s*unspecified\b[^,]*"
    r"|,?\s*\b(?:not otherwise specified|not elsewhere classified|not specified as [^,]*"
    r"|so stated|initial encounter|unspecified|nos|nec)\b"
)


def lowered(wording: pl.Expr) -> pl.Expr:
    """Lower-case and collapse white space. Before: ``"CHF  NOS"``. After: ``"chf nos"``."""
    return wording.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars(" ,;:.")


def spoken(wording: pl.Expr) -> pl.Expr:
    """Reduce a wording to what a clinician would write.

    Before → after::

        "Congestive heart failure NOS"             → "congestive heart failure"
        "Unspecified septicemia"                   → "septicemia"
        "Sepsis, unspecified organism"             → "sepsis"
        "Human immunodeficiency virus [HIV]"       → "human immunodeficiency virus"
        "Cellulitis, not elsewhere classified"     → "cellulitis"
    """
    bare = lowered(wording).str.replace_all(UNSPOKEN, " ")
    return lowered(bare.str.replace_all(r"\s+,", ","))


def icd9_wordings() -> pl.DataFrame:
    """Return what the public sources call each ICD-9-CM code, as written there.

    Returns:
        Columns kind, code, wording, source: ``official`` (long title), ``short_title``,
        ``icd10_title`` (title of the ICD-10-CM code it maps to) and ``inclusion_term`` (of that
        code). Procedures have the first two only: no mapping of procedures is shipped.
    """
    titles = icd9_titles()
    mapped = gem_diagnoses().with_columns(kind=pl.lit("diagnosis"))
    icd10 = icd10_titles("icd10cm").rename({"code": "target", "title": "wording"})
    terms = icd10cm_terms().rename({"code": "target"})
    columns = ["kind", "code", "wording"]
    parts = {
        "official": titles.select("kind", "code", wording="title"),
        "short_title": titles.select("kind", "code", wording="short_title"),
        "icd10_title": mapped.join(icd10, on="target").select(columns),
        "inclusion_term": mapped.join(terms, on="target").select(columns),
    }
    return pl.concat(
        part.with_columns(source=pl.lit(source)).sort(columns) for source, part in parts.items()
    )


def back_mapped_titles(titles: pl.DataFrame) -> pl.DataFrame:
    """Return titles of the ICD-9-CM diagnoses that ICD-10-CM diagnoses map back to.

    Args:
        titles: columns code, title of ICD-9-CM diagnoses.

    Returns:
        Columns code (ICD-10-CM), wording, source ``icd9_title``.
    """
    mapped = gem_diagnoses(forward=False)
    back = mapped.join(titles.rename({"code": "target"}), on="target")
    return back.select("code", wording="title", source=pl.lit("icd9_title"))


def inherited_terms(tree: pl.DataFrame) -> pl.DataFrame:
    """Return inclusion terms of ICD-10-CM nodes with those of the nodes above, up to the category.

    Args:
        tree: as :func:`icd10cm_tree` returns it.

    Returns:
        Columns code, wording, source: ``inclusion_term`` (own) or ``inherited_term``.
    """
    inside = tree.filter(pl.col("category").is_not_null())
    terms = inside.select(above="code", wording="inclusion_terms").explode(
        "wording", empty_as_null=False
    )
    parents = inside.select(above="code", next="parent")
    lines = inside.select("code", above="code", source=pl.lit("inclusion_term"))
    parts = []
    while not lines.is_empty():
        parts.append(lines.join(terms, on="above").select("code", "wording", "source"))
        # The parent of a category is a block, which is not among the nodes: the climb ends there.
        lines = (
            lines.join(parents, on="above")
            .select("code", above="next", source=pl.lit("inherited_term"))
            .join(parents, on="above", how="semi")
        )
    return pl.concat(parts).sort("code", "source", "wording")
