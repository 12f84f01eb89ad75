"""The offline writer: prose from the request alone, the same every time."""

import ast
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import generation_stage
import pytest
from generation_stage import PAPER, synonyms, taxonomy, tiers
from longtail_icd.common.errors import UserError
from longtail_icd.generation.knowledge import wanted_facts
from longtail_icd.generation.offline import drafts
from longtail_icd.generation.offline.drafts import draft_of
from longtail_icd.generation.offline.prose import load_prose
from longtail_icd.generation.prompts.compose import compose_prompts
from longtail_icd.generation.prompts.templates import load_template
from longtail_icd.generation.requests import requests_of
from longtail_icd.generation.screening.format import reasons_against, words_of

ROOT = Path(__file__).parents[4]
# Each with the least words of a note, by default or as its head says.
FILES = {"offline_prose.yaml": PAPER["min_words"], "offline_prose_case_reports.yaml": 15}
PROSES = {name: load_prose(ROOT / "resources" / name) for name in FILES}
PROSE = PROSES["offline_prose.yaml"]
KINDS = ["diagnosis", "diagnosis", "procedure"]


def request(count=7, seed=5):
    knowledge = [
        {
            "code": f"{100 + number}.1",
            "role": "companion" if number else "anchor",
            "kind": KINDS[number % 3],
            "title": f"Official title {number}x",
            "wording": f"spoken wording {number}x",
            "style": "synonym",
            "synonyms": [f"spoken wording {number}x"],
        }
        for number in range(count)
    ]
    return asked(knowledge, seed)


def asked(knowledge, seed, **changes):
    codes = sorted(known["code"] for known in knowledge)
    fields = {"anchor": knowledge[0]["code"], "codes": codes, "knowledge": knowledge, "seed": seed}
    return generation_stage.request(f"r{seed}", **fields | changes)


def text_of(one, prose=PROSE):
    return draft_of(one, prose).text


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("count", [1, 2, 7, 25])
def test_every_code_is_said_once_and_the_note_passes_the_screening(count, name):
    for seed in range(30):
        text = text_of(request(count, seed), PROSES[name])
        for number in range(count):
            said = text.lower().count(f"wording {number}x") + text.lower().count(f"title {number}x")
            assert said == 1
        limits = PAPER | {"min_words": FILES[name]}
        assert reasons_against(text, "stop", None, **limits) == []
        assert "{" not in text


def test_length_is_that_of_a_short_summary():
    lengths = [len(words_of(text_of(request(7, seed)))) for seed in range(50)]
    assert min(lengths) >= 60 and max(lengths) <= 140


def test_titles_are_seldom_used():
    texts = [text_of(request(7, seed)) for seed in range(100)]
    share = sum(text.lower().count("official title") for text in texts) / 700
    assert 0.15 < share < 0.25


def test_same_request_same_note_other_seed_other_note():
    assert text_of(request(seed=3)) == text_of(request(seed=3))
    assert len({text_of(request(seed=seed)) for seed in range(20)}) == 20


def test_a_note_costs_nothing_and_goes_nowhere():
    draft = draft_of(request(seed=3), PROSE)
    assert draft.request_id == "r3" and draft.endpoint is None
    assert draft.prompt_tokens == draft.completion_tokens == 0


def test_description_is_title_and_synonyms_concatenated():
    known = {"code": "1", "role": "anchor", "kind": "diagnosis", "title": "A", "wording": "b"}
    one = asked([{**known, "synonyms": ["b", "c d"], "style": "description"}], 1)
    assert text_of(one) == "A. b. c d."


def test_recipes_of_one_step_are_written_as_ever():
    """Golden values, from before notes could be planned: results stay comparable, byte by byte."""
    frame = generation_stage.code_sets(generation_stage.many_sets(40))
    facts = wanted_facts(frame, tiers(), taxonomy(), synonyms())
    hashes = {}
    for name in ("paper", "description"):
        template = load_template(ROOT / "resources" / "prompts" / f"{name}.j2")
        prompts = compose_prompts(frame, facts, template, {"template": name, "seed": 1})
        written = "\x00".join(text_of(one) for one in requests_of(prompts))
        hashes[name] = hashlib.blake2b(written.encode(), digest_size=16).hexdigest()
    assert hashes == {
        "paper": "feedb9940c60b98d36ab1834f4956468",
        "description": "74e7f7c90beea6e9019bf73086f54071",
    }


def planned(styles, seed=1):
    knowledge = [
        known | {"style": style}
        for known, style in zip(request(len(styles)).knowledge, styles, strict=True)
    ]
    one = asked(knowledge, seed, follow_up="Now write it.")
    return one, draft_of(one, PROSE)


@pytest.mark.parametrize("style", ["title", "synonym", "abbreviation", "indirect"])
def test_a_planned_note_says_each_code_in_the_words_of_its_plan(style):
    for seed in range(20):
        one, draft = planned([style] * 7, seed)
        items = json.loads(draft.plan)["items"]
        assert sorted(item["item"] for item in items) == list(range(1, 8))
        for item in items:
            said = one.knowledge[item["item"] - 1]["wording"]
            assert item["wording"].lower() == said.lower()
            assert draft.text.lower().count(said.lower()) == 1
            assert (item["evidence"] == "statement") == (style != "indirect")
        assert reasons_against(draft.text, "stop", None, **PAPER) == []


def test_a_planned_note_keeps_to_the_wordings_that_it_was_given():
    """No title slips in beside the quota, as it does in one step."""
    texts = [planned(["synonym"] * 7, seed)[1].text.lower() for seed in range(50)]
    assert not any("official title" in text for text in texts)


def test_drafts_are_the_same_every_time():
    assert planned(["title", "indirect"], 3) == planned(["title", "indirect"], 3)
    assert len({planned(["title", "indirect"], seed)[1].text for seed in range(20)}) == 20


@pytest.mark.parametrize("kind", [0, 2])
def test_a_graft_is_one_or_two_sentences_on_the_anchor_inside_the_real_note(kind):
    anchor = request().knowledge[kind] | {"role": "anchor"}
    for seed in range(20):
        one = asked([anchor, request().knowledge[1]], seed, before="He fell. ", after=" Home.")
        text = draft_of(one, PROSE).text
        assert text.startswith("He fell. ") and text.endswith(" Home.")
        added = text.removeprefix("He fell. ").removesuffix(" Home.").lower()
        assert added.count(anchor["wording"]) in (1, 2)
        assert "wording 1x" not in added and "{" not in added


def test_frames_name_no_condition_of_their_own():
    """Otherwise every synthetic note would teach a code that is not among its labels."""
    prose = str(PROSE).lower()
    for word in ("pain", "fever", "infection", "failure", "antibiotic", "surgery", "diabet", "tox"):
        assert word not in prose


def test_a_file_without_a_part_is_one_clear_error(tmp_path):
    path = tmp_path / "prose.yaml"
    path.write_text("openings: []\n")
    with pytest.raises(UserError, match=r"prose\.yaml: missing part closings"):
        load_prose(path)


def test_it_knows_nothing_of_the_simulated_hospital():
    """The demo's result would be circular if the writer shared the hospital's wording."""
    tree = ast.parse(Path(drafts.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any("corpus" in module for module in imported)
    source = "import sys, longtail_icd.generation.writers; print('\\n'.join(sys.modules))"
    command = [sys.executable, "-c", source]
    environment = {"PYTHONPATH": str(ROOT / "workflow" / "scripts")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "longtail_icd.corpus" not in done.stdout
    own = (ROOT / "resources" / "offline_prose.yaml").read_text().splitlines()
    hospital = ROOT / "resources" / "hospital_prose.yaml"
    sentences = {line.strip(' -"') for line in own if "{wording}" in line}
    assert len(sentences) > 15
    assert not sentences & {line.strip(' -"') for line in hospital.read_text().splitlines()}
