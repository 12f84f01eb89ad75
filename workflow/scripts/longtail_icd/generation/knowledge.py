"""What the terminology says about the codes of a request."""

from dataclasses import dataclass

import polars as pl

from longtail_icd.terminology.lookup import with_unknown

# Sources of titles and synonyms that are the user's under a licence or an agreement.
LICENSED = {"umls", "d_icd"}


@dataclass(frozen=True)
class CodeFacts:
    """One code: the titles of the nodes above (chapter first), its own, and its synonyms.

    licensed: whether any of these words is from a source that not everybody may have.
    """

    code: str
    kind: str
    title: str
    path: list[str]
    synonyms: list[str]
    licensed: bool


def _nodes_above(key: tuple[str, str], nodes: dict[tuple[str, str], dict]) -> list[dict]:
    """Return the nodes above ``key``, the nearest first."""
    version, _ = key
    found = []
    above = nodes[key]["parent"]
    while above is not None and (version, above) in nodes:
        found.append(nodes[version, above])
        above = found[-1]["parent"]
    return found


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
        (row["version"], row["code"]): row
        for row in taxonomy.select("version", "code", "title", "title_source", "parent").iter_rows(
            named=True
        )
    }
    said = (
        synonyms.join(wanted, on=["version", "code"], how="semi")
        .unique(["version", "code", "synonym"])
        .sort("synonym")
        .group_by("version", "code")
        .agg("synonym", licensed=pl.col("source").is_in(list(LICENSED)).any())
    )
    by_code = {(version, code): words for version, code, *words in said.iter_rows()}
    facts = {}
    for version, code, kind in wanted.select("version", "code", "kind").unique().iter_rows():
        node, above = nodes[version, code], _nodes_above((version, code), nodes)
        title = node["title"]
        path = list(dict.fromkeys(one["title"] for one in above))[::-1]
        others, licensed = by_code.get((version, code), ([], False))
        others = [synonym for synonym in others if synonym.lower() != title.lower()]
        licensed |= any(one["title_source"] in LICENSED for one in (node, *above))
        facts[code] = CodeFacts(code, kind, title, path, others, licensed)
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
