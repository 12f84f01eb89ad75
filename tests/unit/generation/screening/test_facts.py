"""What train notes teach, kept in a folder: the same screen, the same bytes, no text."""

import numpy as np
import pytest
from generation_stage import SECRET_TEXT, Stage, table
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import write_table
from longtail_icd.generation.screening.context import ScreenContext
from longtail_icd.generation.screening.facts import learn_facts, load_facts, save_facts
from longtail_icd.generation.screening.screen import make_screen
from screening_examples import OFF, THRESHOLDS, cases, fidelity, load, train_of

EVERY_CHECK = OFF | THRESHOLDS
TRAIN = [
    *((text, ["135"]) for text in train_of("memorised")),
    *((text, []) for text in train_of("style")),
    # A wording that train notes use for something else cannot be relied on.
    *((f"Seen with {load('terms')[0][2][0]}, note {number}.", []) for number in range(4)),
]


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def folder(tmp_path):
    save_facts(learn_facts(TRAIN, fidelity()), tmp_path / "facts")
    return tmp_path / "facts"


def test_a_loaded_screen_judges_as_the_one_that_learnt(folder):
    """Of every example of every check, reasons, repairs and labels are the same."""
    learnt = make_screen(EVERY_CHECK, ScreenContext(train=learn_facts(TRAIN, fidelity())))
    loaded = make_screen(EVERY_CHECK, ScreenContext(train=load_facts(folder, fidelity())))
    ignorant = make_screen(EVERY_CHECK, ScreenContext(train=learn_facts([], fidelity())))
    differs = False
    for check in ("missing_code", "extra_code", "memorised", "length", "artefacts"):
        for _, request, draft in cases(check):
            said = learnt.assess(request, draft)
            assert loaded.assess(request, draft) == said
            differs |= ignorant.assess(request, draft) != said
    assert differs  # else nothing learnt would matter to these examples


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(len(TRAIN))))
def test_the_bytes_do_not_depend_on_the_order_of_the_train_notes(tmp_path_factory, order):
    folder = tmp_path_factory.mktemp("facts")
    for name, notes in {"one": TRAIN, "other": [TRAIN[at] for at in order]}.items():
        save_facts(learn_facts(notes, fidelity()), folder / name)
    assert contents(folder / "one") == contents(folder / "other")


def test_hashes_are_mapped_and_not_read(folder):
    """Shards on one machine share them; 16 million in every job's memory they would not fit."""
    ngrams = load_facts(folder, fidelity()).ngrams
    assert len(ngrams.known) > 0
    assert isinstance(ngrams.known.base, np.memmap)
    assert isinstance(ngrams.boilerplate.base, np.memmap)


def test_facts_of_other_wordings_are_refused(folder):
    other = fidelity()
    other.terms.index.phrases[0] = " another  wording "
    with pytest.raises(UserError, match="snakemake -R learn_train_facts"):
        load_facts(folder, other)


@pytest.mark.parametrize("name", ["known.npy", "right.npy", "quartiles.npy"])
@pytest.mark.parametrize("damage", ["gone", "cut", "empty"])
def test_a_missing_or_broken_file_is_named(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[:40] if damage == "cut" else b"")
    with pytest.raises(UserError, match=name):
        load_facts(folder, fidelity())


def test_the_rule_keeps_no_text_and_says_how_far_it_is(tmp_path):
    stage = Stage(tmp_path, {})
    label = {"version": "icd9cm", "code": "428.0", "kind": "diagnosis", "position": 1}
    labels = table("corpus/labels", [{"note_id": "1", **label}])
    write_table(labels, stage.path("corpus/labels"), "corpus/labels")
    done, said = stage.run("learn_train_facts")
    assert done == 0, said
    assert "train notes: 3/3" in said
    kept = contents(tmp_path / "facts")
    assert set(kept) == {
        *("known.npy", "boilerplate.npy", "notes.npy", "right.npy", "quartiles.npy", "facts.json")
    }
    words = {word.encode() for word in SECRET_TEXT.split() if len(word) > 5}
    assert words and not any(word in content for word in words for content in kept.values())
