"""What the terminology says about the codes of a request."""

from dataclasses import dataclass

import polars as pl

from longtail_icd.terminology.lookup import with_unknown


@dataclass(frozen=True)
class CodeFacts:
    """One code: its titles of the nodes above (chapter first), its own, and its synonyms."""

    code: str
    kind: str
    title: str
    path: list[str]
    synonyms: list[str]


def _path(key: tuple[str, str], nodes: dict[tuple[str, str], tuple[str, str | None]]) -> list[str]:
    """Return the titles of the nodes above ``key``, chapter first, repeated titles once."""
    version, _ = key
    titles: list[str] = []
    above = nodes[key][1]
    while above is not None and (version, above) in nodes:
        title, above = nodes[version, above]
        if title not in titles:
            titles.append(title)
    return titles[::-1]


def facts_of(
    wanted: pl.DataFrame, taxonomy: pl.DataFrame, synonyms: pl.DataFrame
) -> dict[str, CodeFacts]:
    """Return the facts of every wanted code; inside one corpus a code alone is unique.

    Before: 428.21 of icd9cm. After: title ``Acute systolic heart failure``, path ``[Diseases of
    the circulatory system, Other forms of heart disease, Heart failure, Systolic heart failure]``.

    Args:
        wanted: columns version, code, kind.
        taxonomy: a table `terminology/codes` that knows every wanted code.
        synonyms: a table `terminology/synonyms`; those that say the title again are left out.
    """
    nodes = {
        (version, code): (title, parent)
        for version, code, title, parent in taxonomy.select(
            "version", "code", "title", "parent"
        ).iter_rows()
    }
    said = (
        synonyms.join(wanted, on=["version", "code"], how="semi")
        .group_by("version", "code")
        .agg(pl.col("synonym").unique().sort())
    )
    by_code = {(version, code): others for version, code, others in said.iter_rows()}
    facts = {}
    for version, code, kind in wanted.select("version", "code", "kind").unique().iter_rows():
        title = nodes[version, code][0]
        others = [
            synonym
            for synonym in by_code.get((version, code), [])
            if synonym.lower() != title.lower()
        ]
        path = _path((version, code), nodes)
        facts[code] = CodeFacts(code, kind, title, path, others)
    return facts


def wanted_facts(
    code_sets: pl.DataFrame, tiers: pl.DataFrame, taxonomy: pl.DataFrame, synonyms: pl.DataFrame
) -> dict[str, CodeFacts]:
    """Return the facts of every code in the code sets.

    Codes that the taxonomy does not know are counted in one warning and go by the title of the
    nearest node above them.

    Args:
        code_sets: a table `plan/code_sets`.
        tiers: a table `plan/tiers`: version and kind of the codes.
        taxonomy: a table `terminology/codes`.
        synonyms: a table `terminology/synonyms`.
    """
    codes = code_sets.select(code=pl.col("codes").explode()).unique()
    wanted = tiers.join(codes, on="code", how="semi").select("version", "code", "kind")
    return facts_of(wanted, with_unknown(taxonomy, wanted), synonyms)
