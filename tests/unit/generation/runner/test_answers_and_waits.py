"""What counts as an answer, and the arithmetic of waiting."""

import email.utils
import time

from generation_stage import request
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.generation.runner.outcomes import answer_of
from longtail_icd.generation.runner.patience import Patience, retry_after_s
from longtail_icd.generation.sampling import Sampling, read_sampling


def test_body_is_minimal_and_names_the_token_limit_as_configured():
    chat = request().chats[0]
    assert Sampling("m", 10, "max_completion_tokens", 0.5, 0.9).body(chat, 7) == {
        "model": "m",
        "messages": chat,
        "max_completion_tokens": 10,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
    }


def test_a_servers_own_switches_go_into_the_body():
    settings = {"backend": "openai", "base_url": "x", "model": "m", "max_tokens": 10}
    settings |= {"max_tokens_key": "max_tokens", "temperature": 0.5, "top_p": 0.9}
    body = read_sampling(settings | {"extra": {"top_k": 5}}).body([], 1)
    assert body["top_k"] == 5 and "base_url" not in body


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
    # A server may ask for hours: it is not cut short.
    assert retry_after_s({"retry-after": "14400"}) == 14400
    assert retry_after_s({"retry-after": "inf"}) == 0
    assert retry_after_s({"retry-after": "soon"}) is None
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    assert 25 < retry_after_s({"retry-after": date}) < 31


def completion(**changes):
    choice = {"message": {"content": "text", "refusal": None}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    return {"choices": [choice], "usage": usage, "model": "m", **changes}


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
    refusal = {"message": {"content": None, "refusal": "no"}, "finish_reason": "stop"}
    assert answer_of(completion(choices=[refusal]))["finish_reason"] == "content_filter"
    nothing = {"message": {"content": None}, "finish_reason": None}
    assert answer_of(completion(choices=[nothing]))["text"] == ""
    for broken in (None, [], "text", [{"message": None}], [{"message": {"content": [1]}}], [3]):
        assert answer_of(completion(choices=broken)) is None
    assert answer_of("<html>") is None
