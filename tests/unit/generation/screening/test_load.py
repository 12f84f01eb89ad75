"""The screen of a shard from its files, and a whole shard through it."""

import sys
from types import SimpleNamespace

import polars as pl
import pytest
from generation_stage import Stage, table
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import scan_table, write_table
from longtail_icd.generation.screening.facts import learn_facts, save_facts, train_notes
from longtail_icd.generation.screening.load import load_fidelity, load_screen
from longtail_icd.generation.screening.tables import screen_notes
from screening_examples import OFF, draft, request

EVERY_CHECK = OFF | {
    "declined": 0,
    "artefacts": 0,
    "placeholders": 0,
    "code_numerals": 0,
    "cut": 0,
    "verbatim": 0.3,
    "missing_code": 0.2,
    "extra_code": 0,
    "near_duplicate": 0.5,
    "memorised": 0.3,
}


@pytest.fixture
def files(tmp_path):
    stage = Stage(tmp_path, {})
    label = {"version": "icd9cm", "code": "428.0", "kind": "diagnosis", "position": 1}
    labels = table("corpus/labels", [{"note_id": "1", **label}])
    write_table(labels, stage.path("corpus/labels"), "corpus/labels")
    found = stage.job("screen_notes")["input"]
    train = train_notes(
        scan_table(found["notes"], "corpus/notes"), scan_table(found["labels"], "corpus/labels")
    )
    save_facts(learn_facts(train, load_fidelity(found)), found["facts"])
    return found


def ids(*names):
    return pl.Series("request_id", names, dtype=pl.String)


def test_only_exemplars_are_read_where_no_check_needs_more(files):
    few = {name: files[name] for name in ("exemplars", "notes")}
    screen = load_screen(OFF, few, ids("request0"))
    asked = request(["135"], request_id="request0")
    copy = "Mrs Quillfeather was seen for a ruptured zeppelin and went home."
    strict = load_screen(OFF | {"max_source_overlap": 0.5}, few, ids("request0"))
    assert screen.assess(asked, draft(copy)).reasons == []
    assert strict.assess(asked, draft(copy)).reasons == ["near_copy"]
    # Real text around what was written is no copy of the example.
    grafted = request(["135"], request_id="request0", before=copy)
    assert strict.assess(grafted, draft(f"{copy} Seen again with a cough.")).reasons == []
    with pytest.raises(KeyError, match="facts"):
        load_screen(EVERY_CHECK, few, ids("request0"))


def test_every_check_on_a_shard_and_the_second_of_two_alike_is_rejected(files):
    screen = load_screen(EVERY_CHECK, files, ids())
    requests = [request(["135"], request_id=name, reserve=name == "d") for name in "abcd"]
    text = "Hilar nodes were sampled and showed sarcoid, for which steroids were begun at once."
    drafts = [draft(text, request_id=name) for name in "ab"]
    drafts += [draft("Well. CHF.", request_id="c")]
    notes, labels = screen_notes(requests, drafts, screen)
    assert notes["request_id"].to_list() == ["a", "b", "c"]
    assert notes["status"].to_list() == ["ok", "rejected", "rejected"]
    assert notes["reasons"].to_list() == [[], ["near_duplicate"], ["missing_code", "extra_code"]]
    assert labels["request_id"].to_list() == ["a"]
    with pytest.raises(UserError, match="other prompts"):
        screen_notes(requests, drafts[:2], screen)


def test_missing_trigger_lists_are_named(files, tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.yaml"):
        load_screen(EVERY_CHECK, files | {"triggers": tmp_path / "nowhere.yaml"}, ids())


class Asked:
    """A verifier that counts how often it is asked."""

    def __init__(self, folder):
        self.folder, self.times = folder, 0

    def probabilities(self, text):
        self.times += 1
        return {"135": 0.5}


def test_a_coder_is_loaded_from_its_folder_and_asked_only_of_what_words_do_not_state(
    files, monkeypatch
):
    """It costs seconds a note; and torch is needed by no one who has no coder."""
    loaded = []
    module = SimpleNamespace(CoderVerifier=lambda folder: loaded.append(Asked(folder)) or loaded[0])
    monkeypatch.setitem(sys.modules, "longtail_icd.training.verifier", module)
    settings = OFF | {"missing_code": 0.0, "verifier": 0.5}
    load_screen(settings, files, ids())
    assert not loaded
    screen = load_screen(settings, files | {"coder": "model"}, ids())
    assert [one.folder for one in loaded] == ["model"]
    assert screen.assess(request(["135"]), draft("Nodes showed sarcoid.")).reasons == []
    assert loaded[0].times == 0
    assert screen.assess(request(["135"]), draft("A cough.")).reasons == []
    assert loaded[0].times == 1
