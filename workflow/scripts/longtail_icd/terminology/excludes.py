"""Codes that must not be used together: the Excludes1 notes of ICD-10-CM, as pairs of nodes.

A note stands at a node, holds for everything below it, and names codes or ranges in words:
``diabetes mellitus in pregnancy (O24.-)``, ``viral hepatitis (B15-B19)``.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence

import polars as pl

from longtail_icd.common.tables import empty_table
from longtail_icd.common.tabular import tabular_nodes, tabular_root

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


def icd10cm_excludes() -> tuple[pl.DataFrame, int, int]:
    """Return the Excludes1 notes of ICD-10-CM, resolved to nodes.

    Returns:
        The table `terminology/excludes`, sorted; the number of notes; the number of those that
        name no node clearly and are left out.
    """
    nodes = list(tabular_nodes(tabular_root()))
    codes = sorted(node.code for node in nodes if node.category is not None)
    rows, notes, unclear = [], 0, 0
    for node in nodes:
        for note in node.excludes1:
            notes += 1
            excluded = resolve_note(note, codes)
            unclear += not excluded
            rows.extend(("icd10cm", node.code, other, note) for other in excluded)
    table = pl.DataFrame(rows, schema=empty_table("terminology/excludes").schema, orient="row")
    return table.unique().sort("code", "excluded", "note"), notes, unclear


def extract_excludes(versions: Collection[str]) -> pl.DataFrame:
    """Return the table `terminology/excludes`: empty where ICD-10-CM is not among the versions.

    Prints how many notes could not be resolved.
    """
    if "icd10cm" not in versions:
        print("Excludes1 notes are read of icd10cm alone: the table is empty")
        return empty_table("terminology/excludes")
    table, notes, unclear = icd10cm_excludes()
    print(
        f"{notes} Excludes1 notes, {unclear} of them name no code or none clearly and are left "
        f"out; {table.height} pairs of nodes"
    )
    return table
