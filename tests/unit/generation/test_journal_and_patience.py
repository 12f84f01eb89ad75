"""The journal's promises, and the arithmetic of waiting."""

import email.utils
import json
import os
import stat
import time
from types import SimpleNamespace as Space

import pytest
from generation_stage import request
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.generation.endpoint import check_base_url, read_key
from longtail_icd.generation.journal import Journal, request_key
from longtail_icd.generation.openai_writer import Sampling
from longtail_icd.generation.outcomes import answer_of
from longtail_icd.generation.patience import Patience, retry_after_s

ANSWER = {"text": "Süß\n\u2028 note", "finish_reason": "stop"}
BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}], "seed": 1, "top_p": 1.0}


def test_key_is_that_of_the_whole_request():
    key = request_key(BODY)
    assert len(key) == 32
    assert request_key(dict(reversed(BODY.items()))) == key
    for change in ({"model": "n"}, {"seed": 2}, {"top_p": 0.9}, {"messages": []}, {"extra": 1}):
        assert request_key({**BODY, **change}) != key


def test_body_is_minimal_and_names_the_token_limit_as_configured():
    one = request(seed=7)
    body = Sampling("m", 10, "max_completion_tokens", 0.5, 0.9).body(one)
    assert body == {
        "model": "m",
        "messages": one.chats[0],
        "max_completion_tokens": 10,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
    }


def keys(count):
    return [request_key({**BODY, "seed": seed}) for seed in range(count)]


def test_answers_are_found_again_by_any_process(tmp_path):
    one, two = Journal(tmp_path / "journal"), Journal(tmp_path / "journal")
    first, second, third = keys(3)
    one.append(first, ANSWER)
    two.append(second, {"text": "other"})
    # Found although nothing was closed: an answer is on its way to the disk at once.
    found = Journal(tmp_path / "journal").find([first, second, third])
    assert found == {first: ANSWER, second: {"text": "other"}}
    assert Journal(tmp_path / "journal").find([third]) == {}
    assert len(list((tmp_path / "journal").iterdir())) == 2
    one.close()
    one.close()


def test_a_journal_that_is_not_there_is_empty_and_reading_makes_none(tmp_path):
    assert Journal(tmp_path / "journal").find(keys(1)) == {}
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


def written(tmp_path, count=3):
    journal = Journal(tmp_path)
    for key in keys(count):
        journal.append(key, ANSWER)
    journal.close()
    (path,) = tmp_path.iterdir()
    return path


def test_a_torn_last_line_loses_that_answer_alone(tmp_path, capsys):
    path = written(tmp_path)
    content = path.read_bytes()
    for cut in (1, 10, 60):
        path.write_bytes(content[:-cut])
        assert list(Journal(tmp_path).find(keys(3))) == keys(2)[:2] or cut == 1
    path.write_bytes(content[:-30])
    capsys.readouterr()
    Journal(tmp_path).find(keys(3))
    assert "1 damaged lines" in capsys.readouterr().out


def test_a_line_that_was_tampered_with_is_passed_over(tmp_path):
    path = written(tmp_path, 1)
    path.write_bytes(path.read_bytes().replace(b"note", b"nope"))
    assert Journal(tmp_path).find(keys(1)) == {}


@pytest.mark.parametrize("junk", [b"\x00\xff\n", b"[]\n", b'{"key": 1}\n', b"\n", b'{"key": "\n'])
def test_junk_between_lines_does_no_harm(tmp_path, junk):
    path = written(tmp_path)
    path.write_bytes(junk + path.read_bytes() + junk)
    assert len(Journal(tmp_path).find(keys(3))) == 3


def test_lines_are_json_with_a_checksum_and_no_prompt(tmp_path):
    entry = json.loads(written(tmp_path, 1).read_text())
    assert set(entry) == {"key", "checksum", "answer"} and entry["answer"] == ANSWER


def test_waits_grow_up_to_a_bound_with_jitter():
    patience = Patience(first_wait_s=1, longest_wait_s=60)
    assert [patience.wait_s(failures, 1.0) for failures in (1, 2, 3, 6, 7)] == [1, 2, 4, 32, 60]
    assert patience.wait_s(3, 0.0) == 2
    assert patience.wait_s(10_000, 1.0) == 60


@given(st.integers(1, 2000), st.floats(0, 1))
def test_waits_stay_in_bounds(failures, chance):
    assert 0.5 <= Patience().wait_s(failures, chance) <= 60


def test_retry_after_as_seconds_or_date():
    assert retry_after_s({}) is None
    assert retry_after_s({"retry-after": "7"}) == 7
    assert retry_after_s({"retry-after": "-3"}) == 0
    assert retry_after_s({"retry-after": "nan"}) == 0
    assert retry_after_s({"retry-after": "1e9"}) == 900
    assert retry_after_s({"retry-after": "soon"}) is None
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert 25 < retry_after_s({"retry-after": date}) < 31


def completion(**changes):
    message = Space(content="text", refusal=None)
    usage = Space(prompt_tokens=1, completion_tokens=2)
    return Space(**{"choices": [Space(message=message, finish_reason="stop")], "usage": usage,
                    "model": "m", **changes})  # fmt: skip


def test_answers_are_believed_field_by_field():
    assert answer_of(completion()) == {
        "text": "text",
        "finish_reason": "stop",
        "model": "m",
        "prompt_tokens": 1,
        "completion_tokens": 2,
    }
    bare = answer_of(completion(usage=None, model=None))
    assert (bare["prompt_tokens"], bare["completion_tokens"], bare["model"]) == (0, 0, "")
    refusal = Space(message=Space(content=None, refusal="no"), finish_reason="stop")
    assert answer_of(completion(choices=[refusal]))["finish_reason"] == "content_filter"
    nothing = Space(message=Space(content=None), finish_reason=None)
    assert answer_of(completion(choices=[nothing]))["text"] == ""
    for broken in (None, [], "text", [Space(message=None)], [Space(message=Space(content=[1]))]):
        assert answer_of(completion(choices=broken)) is None
    assert answer_of("<html>") is None


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/v1", "http://localhost:1/v1", "http://[::1]:8000/v1",
     "https://127.8.9.1/v1", "http://[::ffff:127.0.0.1]:8/v1"],
)  # fmt: skip
def test_loopback_passes(url):
    check_base_url(url)


@pytest.mark.parametrize(
    "url",
    ["http://8.8.8.8/v1", "http://10.0.0.1:8000/v1", "http://0.0.0.0:8000/v1", "http://[::]/v1",
     "http://169.254.1.1/v1", "http://[::ffff:8.8.8.8]/v1", "http://2130706433.example.invalid/",
     "http://127.0.0.1@8.8.8.8/v1", "http://user:pw-123@127.0.0.1/v1", "ftp://127.0.0.1/v1",
     "http:///v1", "http://127.0.0.1:99999/v1", "http://127.0.0.1/v1?key=pw-123", "http://[x/"],
)  # fmt: skip
def test_anything_else_does_not_and_no_password_is_quoted(url):
    with pytest.raises(UserError, match="base_url") as error:
        check_base_url(url)
    assert "pw-123" not in str(error.value)


def test_a_name_passes_only_if_all_its_addresses_are_loopback(monkeypatch):
    addresses = ["127.0.0.1", "203.0.113.5"]

    def resolve(*_, **__):
        return [(2, 1, 6, "", (address, 80)) for address in addresses]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    with pytest.raises(UserError, match="not this machine"):
        check_base_url("http://mixed.example/v1")
    addresses.pop()
    check_base_url("http://mixed.example/v1")


def test_the_key_comes_from_the_named_variable(monkeypatch):
    monkeypatch.setenv("MY_KEY", "k-1")
    assert read_key("MY_KEY") == "k-1"
    assert read_key(None) == "none"
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(UserError, match="MY_KEY"):
        read_key("MY_KEY")
