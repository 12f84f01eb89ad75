"""The tabular list read directly is the tree that the package simple-icd-10-cm builds from it."""

import re
from xml.etree import ElementTree

import pytest
import simple_icd_10_cm as package
from longtail_icd.common import tabular
from longtail_icd.common.errors import UserError
from longtail_icd.common.tabular import tabular_nodes, tabular_root


@pytest.fixture(scope="module")
def nodes():
    return list(tabular_nodes(tabular_root()))


def test_codes_come_in_the_packages_order(nodes):
    ours = [re.sub(r"^(...)-\1$", r"\1", node.code) for node in nodes]
    assert ours == package.get_all_codes(True)


def test_titles_parents_leaves_and_notes_are_the_packages(nodes):
    for node in nodes:
        if node.category is None:  # the package mixes up a block and its only category
            continue
        code = node.code
        assert node.title == package.get_description(code).strip(), code
        assert node.parent.split("-")[0] == package.get_parent(code).split("-")[0], code
        assert node.is_leaf == package.is_leaf(code), code
        if len(code) < 8:
            assert node.inclusion_terms == package.get_inclusion_term(code), code
            assert node.excludes1 == package.get_excludes1(code), code


def test_a_block_of_one_category_keeps_its_own_title(nodes):
    titles = {node.code: node.title for node in nodes}
    assert titles["C50-C50"].startswith("Malignant neoplasms of breast")
    assert titles["C50"] == "Malignant neoplasm of breast"


def test_seventh_characters_by_hand(monkeypatch, tmp_path):
    """X fills the gap, an own definition hides the inherited one, invalid codes are left out."""
    (tmp_path / "codes").write_text("A01XXXA x\nA0111XZ x\nA0111XB x\n")
    monkeypatch.setattr(tabular, "_data", lambda name: tmp_path / "codes")
    define = '<sevenChrDef><extension char="{}">{}</extension><note>n</note></sevenChrDef>'
    root = ElementTree.fromstring(
        "<r><chapter><name>1</name><desc>Chapter</desc><section id='A01'><desc>Block</desc>"
        f"<diag><name>A01</name><desc>One</desc>{define.format('A', 'first')}</diag>"
        f"<diag><name>A01.1</name><desc>Two</desc>{define.format('A', 'first')}"
        f"<diag><name>A01.11</name><desc>Three</desc>{define.format('B', 'last')}</diag></diag>"
        "</section></chapter></r>"
    )
    rows = [(node.code, node.title, node.is_leaf) for node in tabular_nodes(root)]
    assert rows == [
        ("1", "Chapter", False),
        ("A01-A01", "Block", False),
        ("A01", "One", False),
        ("A01.XXXA", "One, first/n", True),
        ("A01.1", "Two", False),
        ("A01.11", "Three", False),
        ("A01.11XB", "Three, last/n", True),
    ]


def test_a_package_without_its_files_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(tabular, "TABULAR", "gone.xml")
    with pytest.raises(UserError, match=r"simple-icd-10-cm: file gone\.xml is missing"):
        tabular_root()
