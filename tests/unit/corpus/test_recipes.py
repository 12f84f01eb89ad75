"""Texts, joined notes and label rules are those of the source that each recipe is named for."""

import re

import polars as pl
import pytest
from corpus_files import NOTES, hospital, note, prepared, raw_table, summaries
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.corpus.label_rules import LabelRules, apply_rules, most_frequent, rules_of
from longtail_icd.corpus.text_recipes import TEXT_RECIPES

TEXTS = st.lists(
    st.text(st.sampled_from("aZ9 0_-.,\n\té²½Ñß1x[*]'\"/"), max_size=60), min_size=1, max_size=20
)


def _clean(recipe, texts):
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return frame.select(TEXT_RECIPES[recipe](pl.col("text")))["text"].to_list()


@pytest.mark.parametrize(
    ("recipe", "before", "after"),
    [
        ("raw", "  Took 250mg\n(x 3) ", "  Took 250mg\n(x 3) "),
        ("mullenbach", "Took 250mg (x 3) on [**2101-1-2**]", "took 250mg x on"),
        ("mullenbach", "1 2 3 A_1 4", "a_1"),
        ("mullenbach", "12", ""),
        ("edin", "Took 250mg (x 3) for 2 1/2 days, 7", "took 250mg x for days 7"),
        ("edin", "3 of 4 was 5", "3 of was 5"),
        ("edin", "café A_1", "caf a 1"),
        ("edin", "", ""),
    ],
)
def test_texts(recipe, before, after):
    assert _clean(recipe, [before]) == [after]


@given(TEXTS)
def test_mullenbach_is_the_tokens_of_its_regular_expression_without_numbers(texts):
    r"""CAML: ``\w+``, lower case, tokens that are numeric dropped, joined by a space."""
    expected = [
        " ".join(one.lower() for one in re.findall(r"\w+", text) if not one.isnumeric())
        for text in texts
    ]
    assert _clean("mullenbach", texts) == expected


@given(TEXTS)
def test_edin_is_its_four_replacements(texts):
    expected = []
    for text in texts:
        plain = re.sub(r"[^A-Za-z0-9]+", " ", text.lower())
        words = re.sub(r"(\s\d+)+\s", " ", plain)
        expected.append(re.sub(r"\s+", " ", words).strip())
    assert _clean("edin", texts) == expected


ROWS = [
    note(9, 100, "addendum", kind="Addendum", date="2101-01-01"),
    note(10, 100, "later", date="2101-01-03"),
    note(7, 100, "early", date="2101-01-02"),
    note(11, 100, "early", date="2101-01-02"),
]


@pytest.mark.parametrize(
    ("joining", "text"),
    [
        ({}, "early\nearly\nlater\naddendum"),
        ({"separator": "space"}, "early early later addendum"),
        ({"order": "rows"}, "early\naddendum\nlater\nearly"),
        ({"identical": "drop"}, "early\nlater\naddendum"),
        ({"order": "rows", "identical": "drop"}, "early\naddendum\nlater"),
    ],
)
def test_notes_of_an_admission_are_joined_as_configured(tmp_path, joining, text):
    documents, counts = summaries(
        raw_table(tmp_path, "NOTEEVENTS", NOTES, ROWS), tmp_path, **joining
    )
    assert documents["text"].to_list() == [text]
    assert counts["note_kept"] == 4
    assert counts["note_identical_dropped"] == (1 if joining.get("identical") else 0)


def test_the_recipe_sees_the_joined_text(tmp_path):
    """Between two notes a number is no longer at an end."""
    folder = hospital(tmp_path / "h", [note(1, 100, "a 1"), note(2, 100, "b")], ["100,1,4019"])
    notes, _, _ = prepared(folder, tmp_path, text="edin")
    assert notes["text"].to_list() == ["a b"]


def _labels(codes):
    """Return the labels of documents, given as {note_id: diagnoses}."""
    rows = [(note_id, code, n) for note_id, own in codes.items() for n, code in enumerate(own, 1)]
    return pl.DataFrame(
        rows, schema={"note_id": pl.String, "code": pl.String, "position": pl.Int32}, orient="row"
    ).with_columns(version=pl.lit("icd9cm"), kind=pl.lit("diagnosis"))


def _apply(codes, rules, code_list=None):
    documents = pl.DataFrame({"note_id": list(codes)})
    labels, kept, counts = apply_rules(_labels(codes), documents, ["diagnosis"], rules, code_list)
    return labels.select("note_id", "code", "position").rows(), kept["note_id"].to_list(), counts


def test_mullenbach_keeps_every_code_and_document():
    labels, documents, counts = _apply({"1": ["401.9"], "2": []}, rules_of(_rules("mullenbach")))
    assert labels == [("1", "401.9", 1)]
    assert documents == ["1", "2"]
    assert counts == {"documents_without_codes": 1}


def _rules(name, least=None, recount=False):
    return {"rules": name, "min_documents": least, "recount": recount}


def test_edin_drops_codes_of_fewer_than_ten_documents_and_documents_left_empty():
    """Counted over all documents before any is dropped; the positions close up."""
    codes = {str(number): ["038.9", "401.9"][number == 0 :] for number in range(10)}
    labels, documents, counts = _apply(codes, rules_of(_rules("edin")))
    assert {code for _, code, _ in labels} == {"401.9"}
    assert {position for _, _, position in labels} == {1}
    assert documents == [str(number) for number in range(10)]
    assert counts["diagnosis_rare"] == 9
    alone = codes | {"10": ["038.7"], "11": []}
    _, documents, counts = _apply(alone, rules_of(_rules("edin")))
    assert documents == [str(number) for number in range(10)]
    assert counts["documents_without_codes_dropped"] == 2


def test_nguyen_keeps_every_code_but_no_document_without():
    labels, documents, counts = _apply({"1": ["401.9"], "2": []}, rules_of(_rules("nguyen")))
    assert (len(labels), documents) == (1, ["1"])
    assert counts == {"documents_without_codes": 0, "documents_without_codes_dropped": 1}


def test_a_minimum_count_of_ones_own_replaces_that_of_the_rules():
    assert rules_of(_rules("edin", 3)) == LabelRules(min_documents=3)
    assert rules_of(_rules("mullenbach", 2)).without_codes


def test_the_50_are_those_of_the_list(tmp_path, capsys):
    path = tmp_path / "TOP_50_CODES.csv"
    path.write_text("401.9\n37.23,9\n")
    codes = {"1": ["038.9", "401.9"], "2": ["038.9"]}
    labels, documents, counts = _apply(codes, rules_of(_rules("mullenbach_50")), path)
    assert labels == [("1", "401.9", 1)]
    assert documents == ["1"]
    assert counts["diagnosis_not_listed"] == 2
    assert "no document has: 37.23" in capsys.readouterr().out


def test_a_recount_of_the_50_is_a_warned_fallback(capsys):
    codes = {str(number): [f"{code:03d}" for code in range(number, 60)] for number in range(60)}
    labels, _, _ = _apply(codes, rules_of(_rules("mullenbach_50", recount=True)))
    assert {code for _, code, _ in labels} == {f"{code:03d}" for code in range(10, 60)}
    assert "warning: corpus.labels.recount" in capsys.readouterr().out


def test_of_equally_frequent_codes_the_first_by_name_counts():
    assert most_frequent(_labels({"1": ["b", "a"], "2": ["c"]}), 2) == ["a", "b"]
