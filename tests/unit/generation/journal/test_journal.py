"""The journal's promises: nothing lost, nothing twice, nothing of it in memory, no prompt in it."""

import json
import multiprocessing
import os
import resource
import signal
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.generation.journal import Journal, request_key
from longtail_icd.generation.journal.index import Index, index_path

ANSWER = {"text": "Süß\n\u2028 note", "finish_reason": "stop"}
BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}], "seed": 1, "top_p": 1.0}


def keys(count):
    return [request_key({**BODY, "seed": seed}) for seed in range(count)]


def found(folder, count):
    """Return which of the first keys a new reader finds."""
    journal = Journal(folder)
    return [number for number, key in enumerate(keys(count)) if journal.get(key) == ANSWER]


def written(folder, count=3):
    """Return the file of lines of a writer that has stored so many answers."""
    journal = Journal(folder)
    for key in keys(count):
        journal.append(key, ANSWER)
    journal.close()
    (path,) = folder.glob("*.jsonl")
    return path


def fill(folder, limit):
    """Store answers until a file may not grow any more, as on a full disk; print how many."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write fails instead
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    journal = Journal(folder)
    for number, key in enumerate(keys(100)):
        try:
            journal.append(key, ANSWER)
        except UserError as error:
            assert "File too large" in str(error) or "No space left" in str(error)
            os._exit(number)


@pytest.mark.parametrize("limit", [1000, 1001, 1050])
def test_a_full_disk_is_one_error_and_what_was_stored_is_still_there(tmp_path, limit):
    """Also where a part of the last line still fits: nothing of it is left to spoil the next."""
    filling = multiprocessing.get_context("fork").Process(target=fill, args=(tmp_path, limit))
    filling.start()
    filling.join()
    assert filling.exitcode > 3
    (path,) = tmp_path.glob("*.jsonl")
    assert path.read_bytes().endswith(b"\n")
    assert found(tmp_path, 100) == list(range(filling.exitcode))


def test_key_is_that_of_the_whole_request():
    key = request_key(BODY)
    assert len(key) == 32
    assert request_key(dict(reversed(BODY.items()))) == key
    for change in ({"model": "n"}, {"seed": 2}, {"top_p": 0.9}, {"messages": []}, {"extra": 1}):
        assert request_key({**BODY, **change}) != key


def test_answers_are_found_again_by_any_process(tmp_path):
    one, two = Journal(tmp_path / "journal"), Journal(tmp_path / "journal")
    first, second, third = keys(3)
    one.append(first, ANSWER)
    two.append(second, {"text": "other"})
    # Found although nothing was closed: an answer is on its way to the disk at once.
    reader = Journal(tmp_path / "journal")
    assert [reader.get(key) for key in (first, second, third)] == [ANSWER, {"text": "other"}, None]
    assert len(reader) == 2
    # A writer reads back its own.
    assert one.get(first) == ANSWER and len(one) == 1
    assert len(list((tmp_path / "journal").glob("*.jsonl"))) == 2
    one.close()
    one.close()


def test_a_closed_journal_can_be_written_again(tmp_path):
    journal = Journal(tmp_path)
    for key in keys(3):
        journal.append(key, ANSWER)
        journal.close()
    assert found(tmp_path, 3) == [0, 1, 2] and len(Journal(tmp_path)) == 3


def test_a_journal_that_is_not_there_is_empty_and_reading_makes_none(tmp_path):
    assert Journal(tmp_path / "journal").get(keys(1)[0]) is None
    assert len(Journal(tmp_path / "journal")) == 0
    assert not (tmp_path / "journal").exists()


def test_only_the_owner_can_read_it(tmp_path):
    old = os.umask(0)
    try:
        Journal(tmp_path / "deep" / "journal").append(keys(1)[0], ANSWER)
    finally:
        os.umask(old)
    folder = tmp_path / "deep" / "journal"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("cut", [2, 10, 60])
@pytest.mark.parametrize("indexed", [True, False])
def test_a_torn_last_line_loses_that_answer_alone(tmp_path, cut, indexed):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    if not indexed:
        index_path(path).unlink()
    assert found(tmp_path, 3) == [0, 1]


def test_a_line_that_was_tampered_with_is_passed_over_and_counted(tmp_path):
    path = written(tmp_path, 1)
    path.write_bytes(path.read_bytes().replace(b"note", b"nope"))
    journal = Journal(tmp_path)
    assert journal.get(keys(1)[0]) is None and journal.damaged == 1


@pytest.mark.parametrize("junk", [b"\x00\xff\n", b"[]\n", b'{"key": 1}\n', b"\n", b'{"key": "\n'])
def test_junk_between_lines_does_no_harm(tmp_path, junk):
    path = written(tmp_path)
    index_path(path).unlink()
    path.write_bytes(junk + path.read_bytes() + junk)
    assert found(tmp_path, 3) == [0, 1, 2]


@settings(max_examples=40)
@given(st.integers(0, 200), st.binary(max_size=40))
def test_a_broken_index_costs_nothing_but_time(tmp_path_factory, kept, junk):
    """Whatever is left of an index, every answer is found; the lines alone are enough."""
    folder = tmp_path_factory.mktemp("journal")
    index = index_path(written(folder, 5))
    index.write_bytes(index.read_bytes()[:kept] + junk)
    assert found(folder, 5) == [0, 1, 2, 3, 4]


def test_lines_are_json_with_a_checksum_and_no_prompt(tmp_path):
    entry = json.loads(written(tmp_path, 1).read_text())
    assert set(entry) == {"key", "checksum", "answer"} and entry["answer"] == ANSWER


def test_an_index_holds_32_bytes_an_answer_and_no_text(tmp_path):
    path = written(tmp_path, 4)
    assert index_path(path).stat().st_size == 4 * 32
    assert len(Index(tmp_path)) == 4
