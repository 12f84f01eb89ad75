"""Codes that must not be used together: the Excludes1 notes of ICD-10-CM, as pairs of nodes.

A note stands at a node, holds for everything below it, and names codes or ranges in words:
``diabetes mellitus in pregnancy (O24.-)``, ``viral hepatitis (B15-B19)``.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from longtail_icd.common.tables import empty_table
from longtail_icd.common.tabular import tabular_nodes, tabular_root
from longtail_icd.terminology.icd10 import icd10cm_nodes
from longtail_icd.terminology.lookup import Ancestors
from longtail_icd.terminology.mapped_excludes import map_excludes, single_counterparts

_CODE = r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{0,4})?"
# An open end is written with a dash: "O24.-", "S82.87-"; the range comes first, or it would pass
# for a code with an open end.
_REFERENCE = re.compile(
    rf"\b(?P<first>{_CODE})\.?-?\s*-\s*(?P<last>{_CODE})(?:\.?-)?|\b(?P<single>{_CODE})(?:\.?-)?"
)
_JOINING = re.compile(r"\b(?:and|or)\b|[\s,;.]")
_IN_BRACKETS = re.compile(r"\(([^()]*)\)\s*$")
_AT_THE_END = re.compile(rf"(?:{_REFERENCE.pattern.replace('?P<', '?P<_')})\s*$")


def _references(note: str) -> str | None:
    """Return the part of a note that names codes: its last brackets, or the code at its end."""
    if match := _IN_BRACKETS.search(note):
        return match[1]
    match = _AT_THE_END.search(note)
    return match[0] if match else None


def _plain(code: str) -> str:
    return code.rstrip(".")


def _between(first: str, last: str, codes: Sequence[str]) -> list[str]:
    """Return the nodes of a range: those as long as its ends, both of which must be nodes."""
    inside = codes[bisect_left(codes, first) : bisect_right(codes, last)]
    if len(first) != len(last) or not inside or (inside[0], inside[-1]) != (first, last):
        return []
    return [code for code in inside if len(code) == len(first)]


def resolve_note(note: str, codes: Sequence[str]) -> list[str]:
    """Return the nodes that a note names, at the level it names them; empty where it is unclear.

    Before → after::

        "viral hepatitis (B15-B19)"                            → B15, B16, B17, B18, B19
        "heart-lung transplant (T86.3-)"                       → T86.3
        "inflammation of penis (N48.1, N48.2-)"                → N48.1, N48.2
        "congenital torticollis Q68.0"                         → Q68.0
        "diabetes mellitus (E08-E13 with .42)"                 → none: a condition on the codes
        "current injury - see injury of joint by body region"  → none

    Args:
        note: the note's text.
        codes: every node of the code system, sorted.
    """
    text = _references(note)
    if text is None or _JOINING.sub("", _REFERENCE.sub("", text)):
        return []
    found: list[str] = []
    for match in _REFERENCE.finditer(text):
        if match["single"]:
            first = last = _plain(match["single"])
        else:
            first, last = _plain(match["first"]), _plain(match["last"])
        nodes = _between(first, last, codes)
        if not nodes:
            return []
        found.extend(nodes)
    return sorted(set(found))


def _path(node: str | None, parents: Mapping[str, str | None]) -> list[str]:
    """Return a node and those above it."""
    path = []
    while node is not None:
        path.append(node)
        node = parents.get(node)
    return path


def icd10cm_excludes() -> tuple[pl.DataFrame, int, int]:
    """Return the Excludes1 notes of ICD-10-CM, resolved to nodes.

    A note that names a node above or below its own would have codes exclude themselves (D72 names
    D72.824): it counts as unclear.

    Returns:
        The table `terminology/excludes`, sorted; the number of notes; the number of those that
        name no node clearly and are left out.
    """
    nodes = list(tabular_nodes(tabular_root()))
    codes = sorted(node.code for node in nodes if node.category is not None)
    parents = {node.code: node.parent for node in nodes}
    rows, notes, unclear = [], 0, 0
    for node in nodes:
        for note in node.excludes1:
            notes += 1
            excluded = resolve_note(note, codes)
            own = _path(node.code, parents)
            if any(other in own or node.code in _path(other, parents) for other in excluded):
                excluded = []
            unclear += not excluded
            rows.extend(("icd10cm", node.code, other, note) for other in excluded)
    table = pl.DataFrame(rows, schema=empty_table("terminology/excludes").schema, orient="row")
    return table.unique().sort("code", "excluded", "note"), notes, unclear


def extract_excludes(versions: Collection[str]) -> pl.DataFrame:
    """Return the table `terminology/excludes` for code systems; procedures have no notes.

    icd10cm: the classification's own notes, as pairs of nodes. icd9cm: the same carried over, as
    pairs of codes, see :mod:`longtail_icd.terminology.mapped_excludes`. Prints how many notes could
    not be resolved.
    """
    table, notes, unclear = icd10cm_excludes()
    print(
        f"{notes} Excludes1 notes of icd10cm, {unclear} of them name no code or none clearly and "
        f"are left out; {table.height} pairs of nodes"
    )
    if "icd9cm" in versions:
        ancestors = Ancestors(icd10cm_nodes(), "icd10cm")
        mapped = map_excludes(table, single_counterparts(), ancestors)
        print(f"carried over to icd9cm: {mapped.height} pairs of codes")
        table = pl.concat([table, mapped])
    return table.filter(pl.col("version").is_in(versions))
