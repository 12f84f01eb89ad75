"""Files in the OpenAI Batch format, and rounds of questions."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.generation.runner.run_state import RunEnded, RunState
from longtail_icd.generation.servers.batch_files import (
    Line,
    answers_path,
    read_answer_line,
    read_answers,
    write_requests,
)
from longtail_icd.generation.servers.gatherer import Gatherer

GOOD = {
    "choices": [{"message": {"role": "assistant", "content": "A note."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    "model": "m",
}


def answer_line(key, status=200, body=GOOD, **more):
    response = {"status_code": status, "request_id": "r", "body": body}
    return json.dumps({"custom_id": key, "response": response, "error": None, **more}).encode()


def bodies(*names):
    return {name: {"model": "m", "messages": [{"role": "user", "content": name}]} for name in names}


def keys_in(path):
    return [json.loads(line)["custom_id"] for line in path.read_bytes().splitlines()]


def test_a_line_of_requests_is_what_the_batch_api_reads(tmp_path):
    [path] = write_requests(tmp_path, bodies("ab"), 10, 1)
    assert json.loads(path.read_text()) == {
        "custom_id": "ab",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "m", "messages": [{"role": "user", "content": "ab"}]},
    }
    assert path.read_bytes().count(b"\n") == 1


@given(
    st.lists(st.text(min_size=1, max_size=9), unique=True, min_size=1, max_size=30),
    st.integers(1, 8),
    st.integers(130, 600),
)
def test_files_hold_each_question_once_in_order_within_both_bounds(tmp_path_factory, names, n, b):
    folder = tmp_path_factory.mktemp("batch")
    asked = {f"{at}": {"messages": [{"content": name}]} for at, name in enumerate(names)}
    paths = write_requests(folder, asked, n, b * 3 / 1e6)
    assert [key for path in paths for key in keys_in(path)] == list(asked)
    assert all(len(keys_in(path)) <= n and path.stat().st_size <= b * 3 for path in paths)


def test_files_are_as_full_as_they_can_be(tmp_path):
    paths = write_requests(tmp_path, bodies("a", "b", "c", "d", "e"), 2, 1)
    assert [keys_in(path) for path in paths] == [["a", "b"], ["c", "d"], ["e"]]


def test_a_request_larger_than_a_file_says_so_without_its_text(tmp_path):
    with pytest.raises(UserError, match="max_mb: one request alone") as caught:
        write_requests(tmp_path, bodies("secret"), 2, 1e-5)
    assert "secret" not in str(caught.value)


def test_the_same_questions_make_the_same_files_and_others_go(tmp_path):
    first = write_requests(tmp_path, bodies("a", "b", "c"), 2, 1)
    assert write_requests(tmp_path, bodies("a", "b", "c"), 2, 1) == sorted(first)
    [again] = write_requests(tmp_path, bodies("z"), 2, 1)
    assert [*tmp_path.iterdir()] == [again]


def test_a_file_under_way_stays_while_any_of_its_questions_waits(tmp_path):
    """Otherwise a batch that runs at the provider would be lost, and paid for twice."""
    [running] = write_requests(tmp_path, bodies("a", "b"), 10, 1)
    kept, new = write_requests(tmp_path, bodies("x", "b"), 10, 1)
    assert kept == running and keys_in(new) == ["x"]


def test_a_file_with_answers_is_done_and_what_they_lack_is_asked_anew(tmp_path):
    [done] = write_requests(tmp_path, bodies("a", "b"), 10, 1)
    answers_path(done).write_bytes(answer_line("a"))
    [rest] = write_requests(tmp_path, bodies("b"), 10, 1)
    assert rest != done and keys_in(rest) == ["b"] and not done.exists()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"custom_id": "k", "resp', None),
        (b"[]", None),
        (b'{"response": null}', None),
        (answer_line("k", 400, None), Line("k", None, "HTTP status 400", True)),
        (answer_line("k", 429, None), Line("k", None, "HTTP status 429", False)),
        (answer_line("k", 500, None), Line("k", None, "HTTP status 500", False)),
        (answer_line("k", body={"choices": []}), Line("k", None, "no chat completion", False)),
        (
            b'{"custom_id": "k", "response": null, "error": {"code": "batch_expired"}}',
            Line("k", None, "batch_expired", False),
        ),
        # A provider's words may quote the prompt.
        (
            b'{"custom_id": "k", "error": {"code": "bad prompt: Mrs Q", "message": "Mrs Q"}}',
            Line("k", None, "no response", False),
        ),
    ],
)
def test_what_a_line_of_answers_says(line, expected):
    assert read_answer_line(line) == expected


def test_an_answer_keeps_what_a_server_would_have_said():
    assert read_answer_line(answer_line("k")).answer == {
        "text": "A note.",
        "finish_reason": "stop",
        "model": "m",
        "prompt_tokens": 7,
        "completion_tokens": 3,
    }


@given(st.integers(0, 600))
def test_a_cut_file_keeps_the_lines_before_the_cut(tmp_path_factory, cut):
    whole = b"".join(answer_line(key) + b"\n" for key in "abc")
    path = tmp_path_factory.mktemp("cut") / "answers-x.jsonl"
    path.write_bytes(whole[:cut])
    ends = [at + 1 for at in range(len(whole)) if whole[at : at + 1] == b"\n"]
    expected = ["a", "b", "c"][: sum(end - 1 <= cut for end in ends)]
    assert [line.key for line in read_answers(path)] == expected


def gather(chains, answer_all=None, state=None):
    """Return the rounds in which chains of questions were asked, each chain one after another."""
    rounds = []

    async def answer(questions):
        rounds.append(sorted(one.body["name"] for one in questions))
        for one in questions:
            one.answer.set_result({"text": one.body["name"]})

    async def ask_chain(gatherer, chain, turns):
        for name in chain:
            assert (await gatherer.ask({"name": name}, "public"))["text"] == name
            for _ in range(turns):
                await asyncio.sleep(0)

    async def run():
        gatherer = Gatherer(answer_all or answer, state or RunState())
        # From an answer to the next question it is longer for some than for others.
        asked = [ask_chain(gatherer, chain, 30 * at) for at, chain in enumerate(chains)]
        return await asyncio.gather(*asked, return_exceptions=True)

    return rounds, asyncio.run(run())


def test_a_round_holds_all_that_waits():
    rounds, _ = gather([["a1", "a2", "a3"], ["b1"], ["c1", "c2"]])
    assert rounds == [["a1", "b1", "c1"], ["a2", "c2"], ["a3"]]


def test_a_round_that_fails_ends_the_run_for_all_that_wait():
    async def fail(questions):
        questions[0].answer.set_result({"text": "a"})
        raise UserError("no")

    state = RunState()
    _, outcomes = gather([["a"], ["b"], ["c"]], fail, state)
    assert outcomes[0] is None and all(isinstance(one, RunEnded) for one in outcomes[1:])
    assert str(state.failure) == "no"
