"""The offline writer: prose from the request alone, the same every time."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from generation_stage import PAPER
from longtail_icd.common.errors import UserError
from longtail_icd.generation import offline_writer
from longtail_icd.generation.offline_writer import OfflineWriter, load_prose
from longtail_icd.generation.screening.format import reasons_against, words_of
from longtail_icd.generation.writer import Request

ROOT = Path(__file__).parents[3]
PROSE = load_prose(ROOT / "resources" / "offline_prose.yaml")
KINDS = ["diagnosis", "diagnosis", "procedure"]


def request(count=7, seed=5):
    knowledge = [
        {
            "code": f"{100 + number}.1",
            "role": "companion" if number else "anchor",
            "kind": KINDS[number % 3],
            "title": f"Official title {number}x",
            "wording": f"spoken wording {number}x",
        }
        for number in range(count)
    ]
    return Request(f"r{seed}", [], knowledge, seed)


def text_of(one):
    return next(OfflineWriter(PROSE).write([one])).text


@pytest.mark.parametrize("count", [1, 2, 7, 25])
def test_every_code_is_said_once_and_the_note_passes_the_screening(count):
    for seed in range(30):
        text = text_of(request(count, seed))
        for number in range(count):
            said = text.lower().count(f"wording {number}x") + text.lower().count(f"title {number}x")
            assert said == 1
        assert reasons_against(text, "stop", None, **PAPER) == []
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


def test_answers_come_in_the_order_of_the_requests_and_went_nowhere():
    requests = [request(seed=seed) for seed in (3, 1, 2)]
    responses = list(OfflineWriter(PROSE).write(requests))
    assert [response.request_id for response in responses] == ["r3", "r1", "r2"]
    assert {response.endpoint for response in responses} == {None}


def test_description_is_title_and_synonyms_concatenated():
    known = {"code": "1", "role": "anchor", "kind": "diagnosis", "title": "A", "wording": "b"}
    one = Request("r", [], [{**known, "synonyms": ["b", "c d"]}], 1)
    assert text_of(one) == "A. b. c d."


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
    tree = ast.parse(Path(offline_writer.__file__).read_text())
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
