"""The ICD-10-CM tabular list of April 2026 (CDC), from the XML inside `simple-icd-10-cm`.

Read with ElementTree: importing the package itself builds objects for all 98,505 nodes, which
takes longer than everything that is needed here. The package is the yardstick of the tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from longtail_icd.common.errors import UserError

TABULAR = "icd10c-tabular-April-1-2026.xml"
CODE_LIST = "code-list-April-2026.txt"  # every valid code, those with a 7th character included
FULL_LENGTH = 7  # characters of a code with its 7th, the dot not counted; X fills the gaps


@dataclass
class Node:
    """A node of the tabular list; ``category`` and ``block`` are null above those levels."""

    code: str
    title: str
    parent: str | None
    chapter: str
    block: str | None
    category: str | None
    is_leaf: bool = False
    inclusion_terms: list[str] = field(default_factory=list)
    excludes1: list[str] = field(default_factory=list)


def _data(name: str) -> Path:
    """Return a file of the package without importing it."""
    spec = find_spec("simple_icd_10_cm")
    path = Path(((spec and spec.submodule_search_locations) or [""])[0]) / "data" / name
    if not path.is_file():
        raise UserError(
            f"package simple-icd-10-cm: file {name} is missing; install the version pinned in envs/"
        )
    return path


def tabular_root() -> ElementTree.Element:
    """Return the root element of the tabular list."""
    return ElementTree.parse(_data(TABULAR)).getroot()


def _notes(element: ElementTree.Element, kind: str) -> list[str]:
    return [note.text for note in element.iterfind(f"{kind}/note") if note.text]


def listed_terms(root: ElementTree.Element) -> dict[str, list[str]]:
    """Return the own inclusion terms of every code that has any."""
    return {
        diagnosis.findtext("name"): terms
        for diagnosis in root.iter("diag")
        if (terms := _notes(diagnosis, "inclusionTerm"))
    }


def _seventh_characters(
    element: ElementTree.Element, inherited: dict[str, str] | None
) -> dict[str, str] | None:
    """Return what each 7th character means below ``element``: its own list, else the inherited."""
    definition = element.find("sevenChrDef")
    if definition is None:
        return inherited
    meanings: dict[str, str] = {}
    last = None
    for child in definition:
        if child.tag == "extension":
            last = child.attrib["char"]
            meanings[last] = child.text or ""
        elif last is not None and child.text:  # a note that belongs to the extension before it
            meanings[last] += f"/{child.text}"
    return meanings


def _extended(node: Node, meanings: dict[str, str], valid: frozenset[str]) -> list[Node]:
    """Return the codes that a 7th character makes of a node, those alone that are valid.

    Before: ``T81.41`` with A, D and S. After: ``T81.41XA``, ``T81.41XD``, ``T81.41XS``.
    """
    stem = node.code.replace(".", "").ljust(FULL_LENGTH - 1, "X")
    return [
        Node(
            code=f"{stem[:3]}.{stem[3:]}{character}",
            title=f"{node.title}, {meaning}",
            parent=node.code,
            chapter=node.chapter,
            block=node.block,
            category=node.category,
            is_leaf=True,
        )
        for character, meaning in meanings.items()
        if stem + character in valid
    ]


def _below(
    element: ElementTree.Element,
    above: Node,
    meanings: dict[str, str] | None,
    valid: frozenset[str],
) -> Iterator[Node]:
    """Yield the codes under a block, category or sub-category, each before those below it."""
    for child in element.iterfind("diag"):
        code = child.findtext("name", "")
        node = Node(
            code=code,
            title=child.findtext("desc", "").strip(),
            parent=above.code,
            chapter=above.chapter,
            block=above.block,
            category=above.category or code,
            inclusion_terms=_notes(child, "inclusionTerm"),
            excludes1=_notes(child, "excludes1"),
        )
        own = _seventh_characters(child, meanings)
        inner = child.find("diag") is not None
        extended = [] if inner or not own else _extended(node, own, valid)
        node.is_leaf = not inner and not extended
        yield node
        yield from extended
        if inner:
            yield from _below(child, node, own, valid)


def _own_range(name: str) -> str:
    """Name a block of a single category so that it differs from it: ``C50`` → ``C50-C50``."""
    return name if "-" in name else f"{name}-{name}"


def tabular_nodes(root: ElementTree.Element) -> Iterator[Node]:
    """Yield every node in the list's order: chapter, its blocks, their categories and codes.

    A block is named by its range, also where it holds a single category (``C50-C50``). Codes
    with a 7th character, which the list describes in general, are written out.
    """
    lines = _data(CODE_LIST).read_text(encoding="utf-8").splitlines()
    valid = frozenset(line.split(" ")[0].replace(".", "") for line in lines)
    for element in root.iterfind("chapter"):
        name = element.findtext("name", "")
        title = element.findtext("desc", "").strip()
        excluded = _notes(element, "excludes1")
        chapter = Node(name, title, None, name, None, None, excludes1=excluded)
        yield chapter
        for section in element.iterfind("section"):
            code, title = _own_range(section.attrib["id"]), section.findtext("desc", "").strip()
            block = Node(code, title, name, name, code, None)
            block.excludes1 = _notes(section, "excludes1")
            yield block
            yield from _below(section, block, None, valid)
