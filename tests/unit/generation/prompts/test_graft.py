"""Evidence written into a real note: where it goes, and what the note is then labelled with."""

import random

import polars as pl
import pytest
from generation_stage import code_sets, exemplars, table, tiers
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.generation.prompts.graft import around, place_of, with_carriers

NOTE = (
    "Admission Date: [**2151-1-1**]\nHistory of Present Illness:\nHe coughed. He fell.\n"
    "Major Surgical or Invasive Procedure: None.\nDischarge Instructions:\nRest. Come back."
)


def places(kind, text=NOTE):
    found = {place_of(text, kind, random.Random(seed)) for seed in range(40)}
    return sorted(text[:place].rsplit(maxsplit=1)[-1] for place in found)


def test_evidence_of_a_diagnosis_stands_after_a_sentence_of_the_history():
    assert places("diagnosis") == ["coughed.", "fell."]


def test_evidence_of_a_procedure_stands_among_procedures():
    assert places("procedure") == ["None."]


def test_without_a_fitting_section_any_sentence_will_do_and_without_sentences_the_end():
    assert places("diagnosis", "Rest. Come back. Bye") == ["Rest.", "back."]
    assert place_of("no sentence \n", "diagnosis", random.Random(1)) == len("no sentence")


KINDS = st.sampled_from(["diagnosis", "procedure"])


@given(st.text(st.sampled_from("aB.:! \né"), max_size=80), KINDS)
def test_not_a_character_of_the_note_is_changed(text, kind):
    """Law: before and after are the note, but for the blank where the written text begins."""
    place = place_of(text, kind, random.Random(1))
    before, after = around(text, place)
    assert before.endswith(" ") and before[:-1] + after == text
    assert place == 0 or not text[place - 1].isspace()


LABELS = [("1", "401.9"), ("1", "428.0"), ("2", "38.93"), ("2", "999.9")]


def labels():
    rows = [{"note_id": note, "code": code} for note, code in LABELS]
    plain = {"version": "icd9cm", "kind": "diagnosis", "position": 1}
    return table("corpus/labels", [plain | row for row in rows])


@pytest.mark.parametrize("strategy", ["clone", "sibling_parent"])
def test_labels_are_those_of_the_carrier_and_the_anchor(strategy):
    """A sibling that was swapped out of the planned set is still in the note."""
    sets = code_sets([("V45.81", ["401.9"], "1")]).with_columns(strategy=pl.lit(strategy))
    (row,) = with_carriers(sets, exemplars([("V45.81", [], "1")]), labels(), tiers()).to_dicts()
    assert row["codes"] == ["401.9", "428.0", "V45.81"] and row["note_id"] == "1"


def test_drawn_sets_are_replaced_by_the_codes_of_the_best_exemplar_inside_the_label_space(capsys):
    sets = code_sets([("V45.81", ["401.9"], None), ("428.0", [], None)])
    shown = exemplars([("V45.81", [], "2"), ("428.0", [], None)])
    (row,) = with_carriers(sets, shown, labels(), tiers()).to_dicts()
    assert row["codes"] == ["38.93", "V45.81"] and row["note_id"] == "2"
    assert "1 requests are left out" in capsys.readouterr().out
