"""Shards and prompts: who belongs where, what a prompt says and how sensitive it is."""

import json
from itertools import takewhile
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
from longtail_icd.generation.prompts.compose import compose_prompts, select_shard
from longtail_icd.generation.prompts.exemplars import exemplar_texts, note_texts, shorten
from longtail_icd.generation.prompts.material import Material, gather
from longtail_icd.generation.prompts.templates import load_template
from longtail_icd.generation.shards import generator_of, pick, shard_of, shuffled

TEMPLATES = Path(__file__).parents[4] / "resources" / "prompts"


PAPER = {"template": "paper", "seed": 1}
QUOTAS = {"title": 0.2, "abbreviation": 0.2, "indirect": 0.2}
IDS = [f"request{number}" for number in range(len(SETS))]
# Templates that work on real notes, with their options.
REAL_NOTES = {"rephrase": {"chunk_words": 5}, "graft": {"wording": QUOTAS}}
NOTE = "HPI:\nHe coughed. He fell.\nDischarge Instructions:\nRest well."


def composed(template="paper", texts=None, sets=SETS, said=None, nodes=None, **options):
    """Compose prompts; options of Material and of the block ``prompt`` by their names."""
    frame = sets if isinstance(sets, pl.DataFrame) else code_sets(sets)
    nodes = taxonomy() if nodes is None else nodes
    facts = wanted_facts(frame, tiers(), nodes, synonyms() if said is None else said)
    shown = {key: options.pop(key) for key in list(options) if key in Material.__annotations__}
    material = Material(exemplars=texts or {}, **shown)
    prompt = PAPER | {"template": template} | options
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


@pytest.mark.parametrize(
    ("strategy", "data_class"),
    [
        ("anchor", "public"),
        ("alone", "public"),
        ("sample", "aggregate"),
        ("clone", "record"),
        ("sibling_block", "record"),
        ("one that is new", "record"),
    ],
)
def test_data_class_of_a_code_set_is_that_of_where_it_comes_from(strategy, data_class):
    sets = code_sets([("428.0", ["401.9"], None)]).with_columns(strategy=pl.lit(strategy))
    assert composed(sets=sets)["data_class"].to_list() == [data_class]


@pytest.mark.parametrize("source", ["umls", "d_icd"])
def test_words_of_a_licensed_terminology_are_not_public(source):
    """Nobody may send them to a service that has not been declared fit."""
    said = synonyms().with_columns(
        source=pl.when(synonym=pl.lit("s/p cabg")).then(pl.lit(source)).otherwise("source")
    )
    assert composed(said=said)["data_class"].to_list() == [
        "record",
        "record",
        "aggregate",
        "record",
    ]
    titled = taxonomy().with_columns(
        title_source=pl.when(code=pl.lit("V45")).then(pl.lit(source)).otherwise("title_source")
    )
    assert composed(nodes=titled)["data_class"][2] == "aggregate"


def test_measured_lengths_are_a_statistic_of_the_corpus_and_given_ones_are_not():
    sets = [("428.0", [], None)]
    given_words = composed("planned", sets=sets, wording=QUOTAS, quantiles=[100, 200])
    measured = composed("planned", sets=sets, wording=QUOTAS, quantiles=[100, 200], measured=True)
    assert given_words["data_class"].to_list() == ["public"]
    assert measured["data_class"].to_list() == ["aggregate"]


def test_rewritten_and_grafted_notes_are_text():
    for template, prompt in REAL_NOTES.items():
        prompts = composed(template, notes=dict.fromkeys(IDS, SECRET_TEXT), **prompt)
        assert set(prompts["data_class"]) == {"text"}


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


def test_the_version_of_a_template_is_that_of_its_text(tmp_path):
    for name, text in {"a": "A", "b": "A", "c": "B"}.items():
        (tmp_path / f"{name}.j2").write_text(f"{{% block user %}}{text}{{% endblock %}}")
    a, b, c = (load_template(tmp_path / f"{name}.j2").hash for name in "abc")
    assert a == b != c and len(a) == 16


@pytest.mark.parametrize(
    ("template", "options"),
    [
        ("paper", {}),
        ("planned", {"wording": QUOTAS, "quantiles": [100, 900]}),
        ("rephrase", REAL_NOTES["rephrase"] | {"notes": dict.fromkeys(IDS, NOTE)}),
        ("graft", REAL_NOTES["graft"] | {"notes": dict.fromkeys(IDS, NOTE)}),
    ],
)
def test_what_all_requests_share_comes_first(template, options):
    """Servers reuse what they computed of a prompt's beginning, up to the first difference."""
    rows = composed(template, **options).iter_rows(named=True)
    asked = [messages for row in rows for messages in json.loads(row["chats"])]
    prompts = ["\n".join(message["content"] for message in messages) for messages in asked]
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*prompts, strict=False))
    lead = {"paper": "Items of this stay:", "planned": "Items of this stay:"}
    shared = len(asked[0][0]["content"]) + 1 + len(lead.get(template, "To be "))
    assert len(list(same)) >= shared


def test_planned_asks_for_a_plan_first_and_says_how_to_word_each_code():
    texts = dict.fromkeys(IDS, "Passage.")
    options = {"wording": QUOTAS, "quantiles": [300, 300], "skeletons": {"request0": ["HPI"]}}
    prompts = composed("planned", texts=texts, excerpts=frozenset(["request0"]), **options)
    row = prompts.row(0, named=True)
    system, user = chat(row)
    assert '{"items": [{"item": 1,' in system["content"]
    assert "Now write the discharge summary" in row["follow_up"]
    order = ["Sections as in this hospital: HPI.", "1. MAIN diagnosis", "2. diagnosis", "Passages "]
    order += ["<example>", "The author of this note", "about 300 words", "Write the plan now."]
    places = [user["content"].index(part) for part in order]
    assert places == sorted(places)
    assert "A discharge summary of another patient" in chats(prompts)[1][1]["content"]
    assert set(prompts["before"]) == set(prompts["after"]) == {""}


def test_every_style_has_its_own_request_to_the_writer():
    said = {"title": "Use this title.", "indirect": "Do not name it", "synonym": "such as: "}
    said |= {"abbreviation": "Abbreviate: chf."}
    many = code_sets([("428.0", [], "1")] * 60)
    for style, words in said.items():
        quotas = dict.fromkeys(QUOTAS, 0.0) | ({style: 1.0} if style in QUOTAS else {})
        prompts = composed("planned", sets=many, wording=quotas)
        for row in prompts.iter_rows(named=True):
            assert words in chat(row)[1]["content"]
            assert json.loads(row["knowledge"])[0]["style"] == style


def test_paper_asks_once_and_its_knowledge_has_all_synonyms():
    prompts = composed()
    assert prompts["follow_up"].null_count() == len(prompts)
    known = json.loads(prompts["knowledge"][0])
    assert list(known[0]) == ["code", "role", "kind", "title", "wording", "style", "synonyms"]
    assert known[0]["synonyms"] and {one["style"] for one in known} == {"synonym"}


def test_passages_are_called_passages():
    texts = dict.fromkeys(IDS, "Text.")
    users = [
        messages[1]["content"]
        for messages in chats(composed(texts=texts, excerpts=frozenset(["request1"])))
    ]
    assert ["Passages from" in user for user in users] == [False, True, False, False]
    assert ["A discharge summary of another" in user for user in users] == [True, False, True, True]


def test_rephrase_asks_chunk_by_chunk_and_names_the_code_to_be_kept():
    notes_of = dict.fromkeys(IDS, NOTE)
    row = composed("rephrase", notes=notes_of, **REAL_NOTES["rephrase"]).row(0, named=True)
    users = [user["content"] for _, user in json.loads(row["chats"])]
    passages = [user.split("<passage>\n")[1].split("\n</passage>")[0] for user in users]
    assert passages == ["HPI:\nHe coughed. He fell.", "Discharge Instructions:\nRest well."]
    assert all("To be kept: diagnosis, Congestive heart failure" in user for user in users)


def test_graft_shows_the_text_around_the_place_and_words_the_anchor_alone():
    quotas = {"title": 1.0, "abbreviation": 0.0, "indirect": 0.0}
    prompts = composed("graft", notes=dict.fromkeys(IDS, NOTE), wording=quotas)
    for row in prompts.iter_rows(named=True):
        user = chat(row)[1]["content"]
        assert row["before"][:-1] + row["after"] == NOTE
        assert row["before"].strip() in user and row["after"].strip() in user
        anchor, *others = json.loads(row["knowledge"])
        assert anchor["style"] == "title" and {one["style"] for one in others} <= {"synonym"}


def test_reserves_are_composed_in_the_order_of_the_plan():
    sets = code_sets().with_columns(reserve=pl.Series([False, True, False, True]))
    prompts = composed(sets=sets)
    assert prompts["reserve"].to_list() == [False, True, False, True]
    assert prompts["request_id"].to_list() == IDS


def test_only_what_the_recipe_works_on_is_gathered():
    prompt = {"template": "planned", "seed": 1, "words": None}
    planned = gather(code_sets(), exemplars(), notes().lazy(), prompt)
    assert planned.measured and planned.notes == {} and len(planned.quantiles) == 19
    carried = code_sets().with_columns(note_id=pl.lit("3"))
    graft = gather(carried, exemplars(), notes().lazy(), {"template": "graft", "seed": 1})
    assert not graft.measured and graft.notes == dict.fromkeys(IDS, "Else.")
    assert gather(
        code_sets(), exemplars(), notes().lazy(), prompt | {"words": [5, 9]}
    ).quantiles == [5, 9]
