"""Terms of the alphabetic index to ICD-10-CM, where the user supplies its XML (CDC, CMS).

The index is a tree of words: a main term, terms under it, and a code where a path ends. A path
read from the top names the code (``Abscess`` › ``brain`` › ``amebic``: A06.6).
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import polars as pl

from longtail_icd.common.codes import dotted
from longtail_icd.common.errors import UserError


def _title(element: ElementTree.Element) -> str:
    """Return a term without its non-essential modifiers, which stand in an element ``nemod``."""
    title = element.find("title")
    if title is None:
        return ""
    words = [title.text or "", *(child.tail or "" for child in title)]
    return " ".join(" ".join(words).split())


def _paths(element: ElementTree.Element, above: str) -> Iterator[tuple[str, str]]:
    """Yield code and words of ``element`` and of the terms under it."""
    words = f"{above} {_title(element)}".strip()
    code = (element.findtext("code") or "").strip().rstrip("-").rstrip(".")
    if code and words:
        yield code, words
    for term in element.iterfind("term"):
        yield from _paths(term, words)


def read_index(path: str | Path) -> pl.DataFrame:
    """Return the terms of the alphabetic index: columns code, wording, source ``index_term``.

    Before: ``<mainTerm><title>Abscess</title><term><title>brain</title><code>G06.0</code>``.
    After: ``G06.0``, ``Abscess brain``. A code that the index leaves open (``S06.-``) stands for
    its heading. Cross-references (see) and manifestation codes are left out.

    Raises:
        UserError: the file is no XML or holds no main term with a code.
    """
    found: list[tuple[str, str]] = []
    try:
        for _, element in ElementTree.iterparse(path):
            if element.tag == "mainTerm":
                found.extend(_paths(element, ""))
                element.clear()
    except ElementTree.ParseError as error:
        raise UserError(
            f"{path}: not valid XML (line {error.position[0]}); download the index again"
        ) from None
    if not found:
        raise UserError(
            f"{path}: no main term with a code; terminology.index wants the alphabetic index of "
            "diseases of ICD-10-CM as XML (icd10cm-index-YYYY.xml)"
        )
    rows = pl.DataFrame(found, schema={"code": pl.String, "wording": pl.String}, orient="row")
    return rows.with_columns(
        code=dotted(pl.col("code"), "icd10cm", "diagnosis"), source=pl.lit("index_term")
    ).unique(maintain_order=True)
