"""Shards and prompts: who belongs where, what a prompt says and how sensitive it is."""

import json
from pathlib import Path

import polars as pl
import pytest
from generation_stage import (
    SECRET_TEXT,
    SETS,
    code_sets,
    exemplars,
    notes,
    synonyms,
    taxonomy,
    tiers,
)
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.generation.data_class import highest
from longtail_icd.generation.knowledge import wanted_facts
from longtail_icd.generation.prompts.compose import Material, compose_prompts, select_shard
from longtail_icd.generation.prompts.exemplars import exemplar_texts, note_texts, shorten
from longtail_icd.generation.prompts.templates import load_template
from longtail_icd.generation.shards import generator_of, pick, shard_of, shuffled

TEMPLATES = Path(__file__).parents[4] / "resources" / "prompts"


PAPER = {"template": "paper", "seed": 1}


def composed(template="paper", texts=None, sets=SETS, skeletons=None, **prompt):
    frame = code_sets(sets)
    facts = wanted_facts(frame, tiers(), taxonomy(), synonyms())
    material = Material(exemplars=texts or {}, skeletons=skeletons or {})
    prompt = PAPER | {"template": template} | prompt
    return compose_prompts(
        frame, facts, load_template(TEMPLATES / f"{template}.j2"), prompt, material
    )


def chat(row):
    """Return the messages of a request with one chat."""
    (messages,) = json.loads(row["chats"])
    return messages


def chats(prompts):
    return [chat(row) for row in prompts.iter_rows(named=True)]


def test_shards_never_move():
    """Golden values: a new hash would shuffle all shards of every user."""
    assert [shard_of(anchor, 7) for anchor in ("428.0", "V45.81", "38.93", "401.9")] == [1, 6, 6, 2]


@given(st.text(), st.integers(1, 999))
def test_every_anchor_has_one_shard(anchor, shards):
    assert 0 <= shard_of(anchor, shards) < shards


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_shards_hold_every_request_once(shards):
    parts = [select_shard(code_sets(), shard, shards) for shard in range(shards)]
    assert pl.concat(parts).sort("request_id").equals(code_sets().sort("request_id"))


def test_a_prompt_does_not_depend_on_the_shard_count():
    """More shards reuse stored answers only if prompts stay as they are."""
    whole = composed().sort("request_id")
    frame = code_sets()
    facts = wanted_facts(frame, tiers(), taxonomy(), synonyms())
    template = load_template(TEMPLATES / "paper.j2")
    parts = [
        compose_prompts(select_shard(frame, shard, 3), facts, template, PAPER) for shard in range(3)
    ]
    assert pl.concat(parts).sort("request_id").equals(whole)


def test_draws_are_the_same_in_every_process():
    generator = generator_of("request0", "seed", 1)
    assert [round(generator.random(), 6) for _ in range(2)] == [0.436129, 0.899827]
    assert sorted(shuffled([1, 2, 3], generator)) == [1, 2, 3]
    assert pick(["only"], generator) == "only"


def test_knowledge_holds_path_title_and_synonyms():
    facts = wanted_facts(code_sets(), tiers(), taxonomy(), synonyms())
    assert set(facts) == {"428.0", "401.9", "V45.81", "38.93"}
    failure = facts["428.0"]
    assert failure.path == ["Diseases of the circulatory system", "Heart failure"]
    assert failure.title == "Congestive heart failure, unspecified"
    assert failure.synonyms == ["chf", "weak heart"]


def test_unknown_code_gets_a_fallback_title_and_a_counted_warning(capsys):
    known = taxonomy().filter(pl.col("code") != "428.0")
    facts = wanted_facts(code_sets(), tiers(), known, synonyms())
    assert facts["428.0"].title == "Heart failure"
    assert "1 codes are not in the taxonomy" in capsys.readouterr().out


def test_paper_prompt_names_every_code_and_marks_the_anchor():
    row = composed().row(1, named=True)
    system, user = chat(row)
    assert (system["role"], user["role"]) == ("system", "user")
    lines = [line for line in user["content"].splitlines() if line.startswith("- ")]
    assert len(lines) == 3
    anchor, line, hypertension = lines
    assert anchor.startswith("- MAIN diagnosis: Congestive heart failure, unspecified; also called")
    assert anchor.endswith("(under: Diseases of the circulatory system > Heart failure)")
    assert "chf" in anchor or "weak heart" in anchor
    assert line == (
        "- procedure: Venous catheterization; also called: central line "
        "(under: Operations on vessels)"
    )
    assert "MAIN" not in hypertension
    # Code numbers are not for the note, so the prompt has none either.
    assert not any(code in user["content"] for code in row["codes"])


def test_prompt_parts_stand_in_the_order_that_servers_can_reuse():
    texts = {f"request{number}": f"Example: {SECRET_TEXT}" for number in range(len(SETS))}
    prompts = chats(composed(texts=texts))
    assert len({system["content"] for system, _ in prompts}) == 1
    for _, user in prompts:
        content = user["content"]
        assert content.index("MAIN") < content.index(SECRET_TEXT) < content.index("For this note:")
        assert content.index("For this note:") > 0.9 * content.rindex("\n")


def test_an_example_with_template_marks_is_text_and_nothing_else():
    texts = {"request0": "BP {{ 7 * 7 }} {% for x in y %} <b>"}
    _, user = chats(composed(texts=texts))[0]
    assert texts["request0"] in user["content"]


def test_draws_differ_between_requests_and_follow_the_seed():
    many = [("428.0", [], "1")] * 40
    wordings = [json.loads(text)[0]["wording"] for text in composed(sets=many)["knowledge"]]
    assert set(wordings) == {"chf", "weak heart"}
    assert composed(sets=many).equals(composed(sets=many))
    assert not composed(sets=many).equals(composed(sets=many, seed=2))
    seeds = composed(sets=many)["seed"]
    assert seeds.n_unique() == 40 and seeds.min() >= 0 and seeds.max() < 2**31


def test_description_prompt_is_title_and_synonyms():
    row = composed("description").row(2, named=True)
    assert chat(row) == [{"role": "user", "content": "Aortocoronary bypass status. s/p cabg."}]
    (known,) = json.loads(row["knowledge"])
    assert known["synonyms"] == ["s/p cabg"] and known["role"] == "anchor"


def test_data_class_is_that_of_the_most_sensitive_part():
    """Law: record-level facts and text are never taken for public."""
    texts = {"request0": SECRET_TEXT}
    assert composed(texts=texts)["data_class"].to_list() == ["text", "record", "public", "record"]
    # The set of a single code is a record too where it was drawn from a note.
    assert composed(sets=[("428.0", [], "1")])["data_class"].to_list() == ["record"]
    # So is the order in which one real note has its sections.
    skeletons = {"request2": ["Chief Complaint"]}
    assert composed(skeletons=skeletons)["data_class"].to_list() == ["record"] * 4


@given(st.lists(st.sampled_from(["public", "aggregate", "record", "text"])))
def test_highest_class_is_an_upper_bound(classes):
    order = ["public", "aggregate", "record", "text"]
    top = highest(classes)
    assert all(order.index(top) >= order.index(one) for one in classes)
    assert top in classes or (not classes and top == "public")


def test_only_the_wanted_notes_are_read_and_missing_ones_left_out():
    texts = exemplar_texts(exemplars(), notes().lazy())
    assert texts.keys() == {"request0", "request1", "request3"}
    assert texts["request0"].endswith("went home.")
    empty = notes().with_columns(text=pl.lit(None, dtype=pl.String))
    assert shorten(exemplar_texts(exemplars(), empty.lazy())["request0"]) is None


def with_excerpts(spans):
    excerpts = [{"note_id": note, "start": start, "end": end} for note, start, end in spans]
    frame = exemplars()
    return pl.DataFrame(
        {
            "request_id": frame["request_id"],
            "exemplar_note_ids": [["2", "1"]] * frame.height,
            "excerpts": [excerpts] * frame.height,
            "skeleton": [[]] * frame.height,
        },
        schema=TABLES["plan/exemplars"].columns,
    )


def test_excerpts_stand_for_the_whole_note_in_the_prompt():
    """Nothing of a note but its excerpts reaches the writer."""
    name = SECRET_TEXT.index("ruptured")
    shown = exemplar_texts(
        with_excerpts([("2", name, name + 8), ("2", 0, 4), ("1", 0, 3)]), notes().lazy()
    )
    assert shown == dict.fromkeys(
        [f"request{number}" for number in range(4)], "ruptured\n[...]\nMrs\n[...]\nMrs"
    )


def test_screening_compares_with_every_note_an_excerpt_is_from():
    texts = note_texts(with_excerpts([("2", 0, 4)]), notes().lazy())
    assert texts["request0"] == f"{SECRET_TEXT} and stayed.\n{SECRET_TEXT} and went home."
    assert note_texts(exemplars(), notes().lazy()) == exemplar_texts(exemplars(), notes().lazy())


def test_a_skeleton_reaches_a_template_that_shows_it_and_no_other(tmp_path):
    path = tmp_path / "sections.j2"
    path.write_text("{% block user %}{{ skeleton | join(', ') }}{% endblock %}")
    skeletons = {"request1": ["Chief Complaint", "Brief Hospital Course"]}
    frame = code_sets()
    facts = wanted_facts(frame, tiers(), taxonomy(), synonyms())
    material = Material(skeletons=skeletons)
    prompts = compose_prompts(frame, facts, load_template(path), PAPER, material)
    contents = [messages[0]["content"] for messages in chats(prompts)]
    assert contents == ["", "Chief Complaint, Brief Hospital Course", "", ""]
    assert composed(skeletons=skeletons)["chats"].equals(composed()["chats"])


def test_long_examples_are_cut_at_a_word():
    assert shorten("one two three", 9) == "one two"
    assert shorten("  one two ") == "one two"
    assert shorten(" \n") is None and shorten(None) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [("{% block user %}", "line 1"), ("no block at all", "block named user"), (None, "no such")],
)
def test_a_bad_template_is_one_clear_error(tmp_path, content, problem):
    path = tmp_path / "mine.j2"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=problem) as error:
        load_template(path)
    assert "mine.j2" in str(error.value)
