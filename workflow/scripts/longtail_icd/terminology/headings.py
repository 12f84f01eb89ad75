"""Titles for headings that no shipped list names: given, or derived from the titles below them."""

import html
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from longtail_icd.common.errors import UserError

# Words that do not name anything by themselves.
EMPTY_WORDS = frozenset(
    word
    for line in (
        "a an and or of the in on to for with without by from due as not mention",
        "other unspecified specified elsewhere classified type types open approach",
        "disease diseases disorder disorders condition conditions",
        "operation operations procedure procedures following status found",
    )
    for word in line.split()
)
UNSPECIFIED = re.compile(r"^unspecified (?P<after>.+)$|^(?P<before>.+), unspecified$", re.I)
# Where ICD-9-CM keeps the unspecified code of a heading: 428.9 of 428, 276.50 of 276.5; in the
# order in which they are looked for.
RESIDUAL = ("9", "90", "99", "0")


@dataclass(frozen=True)
class Given:
    """Titles of headings that need no derivation, by code, and the name of their source."""

    titles: dict[str, str] = field(default_factory=dict)
    source: str = ""


# The codes below a heading: what they add to its code (without dots), and their titles.
Below = list[tuple[str, str]]


def _words(title: str) -> list[str]:
    return [word.strip(",;:()[]") for word in title.split()]


def _trim(words: list[str]) -> list[str]:
    """Drop words at both ends that name nothing."""
    while words and words[0].lower() in EMPTY_WORDS:
        words = words[1:]
    while words and words[-1].lower() in EMPTY_WORDS:
        words = words[:-1]
    return words


def _capital(title: str) -> str:
    return title[0].upper() + title[1:]


def unspecified_title(below: Below) -> str | None:
    """Return what the unspecified code of a heading is about, or None if it has none.

    Before: ``[("1", "Left heart failure"), ("9", "Heart failure, unspecified")]``.
    After: ``"Heart failure"``.
    """
    for residual in RESIDUAL:
        for rest, title in below:
            match = UNSPECIFIED.match(title)
            if match and rest == residual:
                return _capital(match["after"] or match["before"])
    return None


def common_words(titles: list[str]) -> str | None:
    """Return the longest run of words that all titles share, or None if it names nothing.

    The run must begin one of the titles: what all end with is a circumstance, not the thing.

    Before: ``["Resection of Appendix, Open Approach", "Resection of Appendix, Endoscopic"]``.
    After: ``"Resection of Appendix"``.
    """
    words = _words(min(titles, key=len))
    others = [f" {' '.join(_words(title)).lower()} " for title in titles]
    for length in range(len(words), 0, -1):
        for start in range(len(words) - length + 1):
            run = words[start : start + length]
            if all(f" {' '.join(run).lower()} " in other for other in others):
                named = _trim(run)
                leads = any(_trim(_words(title))[: len(named)] == named for title in titles)
                return _capital(" ".join(named)) if named and leads else None
    return None


def derive_title(below: Below, above: str) -> tuple[str, str]:
    """Return a title for a heading and where it comes from.

    Args:
        below: the codes below it, in their order.
        above: the title of the nearest node above it, as the last resort.

    Returns:
        The title; ``unspecified_code``, ``common_words`` or ``node_above``.
    """
    if title := unspecified_title(below):
        return title, "unspecified_code"
    if title := common_words([title for _, title in below]):
        return title, "common_words"
    return above, "node_above"


def read_headings(path: str | Path) -> Given:
    """Read titles of headings from a file of lines ``code<TAB>title``, entities resolved.

    Before: ``008.64<TAB>small round viruses [SRV&apos;s]``. After: ``small round viruses [SRV's]``.
    The file may hold more than headings; a line with a range (``001-009.99``) is no use.

    Raises:
        UserError: the file is no text in UTF-8, or a line has no tab.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a text in UTF-8; save it as UTF-8") from None
    titles = {}
    for number, line in enumerate(lines, start=1):
        code, tab, title = line.partition("\t")
        if not tab:
            raise UserError(
                f"{path}: line {number} is not `code<TAB>title`; terminology.headings wants such "
                "lines (docs/terminology.md)"
            )
        if title.strip():
            titles[code.strip()] = " ".join(html.unescape(title).split())
    return Given(titles, "headings_file")


def title_headings(
    headings: dict[str, Below], above: dict[str, str], given: Given
) -> list[tuple[str, str, str]]:
    """Title headings, from the titles below them where none is given; shorter codes first.

    Args:
        headings: heading code → the codes below it.
        above: titles of what stands over the topmost headings, by heading code.
        given: titles known from elsewhere.

    Returns:
        Rows code, title, title_source.
    """
    rows = []
    titled: dict[str, str] = {}
    for code in sorted(headings, key=lambda code: (len(code), code)):
        prefixes = (code[:end] for end in range(len(code) - 1, 0, -1))
        over = next((titled[one] for one in prefixes if one in titled), above.get(code, code))
        title, source = (
            (given.titles[code], given.source)
            if code in given.titles
            else derive_title(headings[code], over)
        )
        titled[code] = title
        rows.append((code, title, source))
    return rows


def codes_below(leaves: pl.DataFrame, prefixes: pl.Expr) -> dict[str, Below]:
    """Return heading code → the leaves below it, for those prefixes that are no leaf.

    Args:
        leaves: columns code, title, sorted by code.
        prefixes: for each leaf a list of its prefixes.
    """
    below = defaultdict(list)
    lines = leaves.select(prefixes.alias("heading"), "code", "title").explode("heading")
    for heading, code, title in lines.iter_rows():
        below[heading].append((code[len(heading) :].lstrip("."), title))
    known = set(leaves["code"])
    return {heading: codes for heading, codes in below.items() if heading not in known}
