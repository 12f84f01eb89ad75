"""A model folder alone says of notes what the evaluation says, and shows what it looked at."""

import json
import shutil

import numpy as np
import pytest
from coded_notes import as_notes, forget_titles_and_calibration, make_notes, make_tokens
from longtail_icd.prediction.coder import NoteCoder
from longtail_icd.prediction.notes import Note
from longtail_icd.prediction.run import BATCH, code_notes, coded_notes
from longtail_icd.training.inference import predict
from training_stage import CODES, TITLED, TITLES

TEST = make_notes(45, 2)


@pytest.fixture
def alone(trained, tmp_path):
    """Return a copy of the model folder with nothing else around it."""
    return shutil.copytree(trained, tmp_path / "alone" / "model")


@pytest.fixture(scope="module")
def coder(trained):
    return NoteCoder(trained, top=3)


def test_a_copied_folder_gives_the_scores_of_the_test_split(trained, alone):
    logits = predict(trained, make_tokens(TEST, trained), batch_size=7)
    curve = json.loads((alone / "coder.json").read_text())["calibration"]
    stated = 1 / (1 + np.exp(-(curve["slope"] * logits + curve["intercept"])))
    coder = NoteCoder(alone, top=3)
    for note, logit, probability in zip(
        coded_notes(as_notes(TEST), coder, {}), logits, stated, strict=True
    ):
        order = np.argsort(-logit, kind="stable")
        assert [one.code for one in note.codes] == [TITLED[label].code for label in order]
        said = [one.probability for one in note.codes]
        assert said == pytest.approx(probability[order], abs=1e-4)
        threshold = json.loads((alone / "coder.json").read_text())["threshold"]["logit"]
        assert [one.predicted for one in note.codes] == (logit[order] >= threshold).tolist()


def test_a_note_has_its_code_with_title_and_the_words_that_say_it(coder):
    """For nine notes of ten at least; by chance it would be one of three."""
    right, found = [], []
    for note, text, label in zip(
        coder.code(as_notes(TEST)), TEST["text"], TEST["label"], strict=True
    ):
        best, title = note.codes[0], TITLES[label]
        right.append(best.predicted and (best.code, best.title) == (CODES[label], title))
        found.append(title.capitalize() in " ".join(one.text for one in best.passages))
        assert best.kind == "diagnosis" and best.version == "icd9cm"
        assert all(text[one.start : one.end] == one.text for one in best.passages)
    assert np.mean(right) >= 0.9 and np.mean(found) >= 0.9


def test_without_the_passages_the_code_goes_and_without_other_words_it_stays(coder):
    """The logit falls where what was looked at is deleted, not where as many other words are."""
    highlighted, others = [], []
    for note in coded_notes(as_notes(TEST), coder, {}):
        (text,) = TEST.filter(note_id=note.note_id)["text"]
        best = note.codes[0]
        label = [one.code for one in coder.labels].index(best.code)
        spans = [(one.start, one.end) for one in best.passages]
        words = sum(len(text[start:end].split()) for start, end in spans)
        kept = "".join(text[i] for i in range(len(text)) if not any(a <= i < b for a, b in spans))
        elsewhere = kept.split()[words:]
        control = " ".join([*(text[start:end] for start, end in spans), *elsewhere])
        whole, without, with_it = coder.logits([text, kept, control])[:, label]
        highlighted.append(whole - without)
        others.append(whole - with_it)
    assert np.mean(highlighted) > 1 and np.mean(highlighted) > 3 * abs(np.mean(others))


def test_a_note_is_coded_alike_alone_and_among_others(coder):
    notes = [*as_notes(TEST), Note("long", TEST["text"].str.join(" ").item())]
    together = coder.code(notes)
    alone = [coder.code([note])[0] for note in notes]
    assert [one.note_id for one in together] == [one.note_id for one in alone]
    for one, other in zip(together, alone, strict=True):
        assert [code.code for code in one.codes] == [code.code for code in other.codes]
        assert [code.probability for code in one.codes] == pytest.approx(
            [code.probability for code in other.codes], abs=1e-5
        )


def test_without_top_only_predicted_codes_are_listed(trained):
    """And of two that would be listed, one more is shown, marked as not predicted."""
    (few,) = NoteCoder(trained).code(as_notes(TEST)[:1])
    assert few.codes and all(one.predicted for one in few.codes)
    wanted = len(few.codes) + 1
    (more,) = NoteCoder(trained, top=wanted).code(as_notes(TEST)[:1])
    assert [one.predicted for one in more.codes] == [True] * len(few.codes) + [False]
    assert more.codes[: len(few.codes)] == few.codes


def test_a_note_without_text_gets_no_codes_and_keeps_its_place(coder):
    coded = coder.code([Note("a", " \n"), as_notes(TEST)[0], Note("b", "")])
    assert [one.note_id for one in coded] == ["a", "n0", "b"]
    assert [bool(one.codes) for one in coded] == [False, True, False]
    assert [one.tokens for one in coded][::2] == [0, 0]


def test_an_older_folder_codes_without_titles_and_says_that_it_is_not_calibrated(
    alone, tmp_path, capsys
):
    forget_titles_and_calibration(alone)
    coder = NoteCoder(alone, top=3)
    (coded,) = coder.code(as_notes(TEST)[:1])
    assert not coder.calibrated and {one.title for one in coded.codes} == {None}
    logits = coder.logits([TEST["text"][0]])[0]
    assert coded.codes[0].probability == pytest.approx(1 / (1 + np.exp(-logits.max())), abs=1e-5)
    code_notes(as_notes(TEST)[:1], coder, str(tmp_path / "codes.jsonl"), {})
    assert "before probabilities were calibrated" in capsys.readouterr().err


def test_no_more_notes_than_a_batch_are_ever_held(coder):
    """However many there are: a source that never ends is coded all the same."""
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield Note(str(taken), "seen on ward")

    for done, _ in enumerate(coded_notes(endless(), coder, {}), start=1):
        assert taken - done < BATCH
        if done == 10 * BATCH:
            break
