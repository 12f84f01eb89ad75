"""One anchor's notes: reserve requests take the place of those that fail, and of no others."""

import asyncio
import random

from generation_stage import request
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.generation.anchors import NoteWriter, write_anchor
from longtail_icd.generation.drafting import ChatDrafter
from longtail_icd.generation.requests import Assessment
from longtail_icd.generation.sampling import Sampling

SAMPLING = Sampling("m", 10, "max_tokens", 1.0, 1.0)


class FakeAsker:
    """Answers with the last message, after a few turns of the loop; says what it was asked."""

    def __init__(self, seed=1):
        self.asked = []
        self._turns = random.Random(seed)

    async def ask(self, body, data_class):
        self.asked.append(body["messages"])
        for _ in range(self._turns.randrange(5)):
            await asyncio.sleep(0)
        answer = {"text": body["messages"][-1]["content"], "finish_reason": "stop", "model": "m"}
        return answer | {
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "attempts": 1,
            "endpoint": "http://127.0.0.1:1/v1",
        }


class Screen:
    """Rejects the notes of some requests; asks for a correction of others that have none yet."""

    def __init__(self, bad=(), repairable=()):
        self._bad, self._repairable = set(bad), set(repairable)

    def assess(self, one, draft):
        repairs = ["say it"] if one.request_id in self._repairable and not draft.repaired else []
        reasons = ["bad"] if one.request_id in self._bad or repairs else []
        return Assessment(draft.text, reasons, repairs, [])


def requests(allocated, reserve):
    return [
        request(f"r{at}", seed=at, reserve=at >= allocated) for at in range(allocated + reserve)
    ]


def drafts(asked, screen, asker=None, seen=lambda *_: False, judge=None):
    writer = NoteWriter(ChatDrafter(asker or FakeAsker(), SAMPLING), screen, judge)
    return asyncio.run(write_anchor(asked, writer, seen))


def names(written):
    return [draft.request_id for draft in written]


def test_reserve_requests_are_asked_for_notes_that_fail_and_no_more():
    assert names(drafts(requests(3, 4), Screen())) == ["r0", "r1", "r2"]
    written = drafts(requests(3, 4), Screen(bad=["r0", "r2", "r3"]))
    # Two fail, and of the two in their place one.
    assert names(written) == ["r0", "r1", "r2", "r3", "r4", "r5"]
    assert len(drafts(requests(2, 1), Screen(bad=["r0", "r1", "r2"]))) == 3


def test_a_near_duplicate_counts_as_failed():
    seen = lambda one, draft, text: one.request_id == "r1"  # noqa: E731
    assert names(drafts(requests(2, 2), Screen(), seen=seen)) == ["r0", "r1", "r2"]


@given(st.sets(st.integers(0, 9)), st.integers(1, 5), st.integers(0, 2**20))
def test_what_is_asked_for_does_not_depend_on_the_timing(bad, allocated, seed):
    screen = Screen(bad=[f"r{at}" for at in bad])
    asked = requests(allocated, 10 - allocated)
    written = drafts(asked, screen, FakeAsker(seed))
    assert written == drafts(asked, screen, FakeAsker(0))
    good = [name for name in names(written) if int(name[1:]) not in bad]
    # As many good notes as were allocated, unless every reserve was tried.
    assert len(good) == allocated or len(written) == 10


def test_a_correction_is_asked_for_once_in_the_same_chat():
    asker = FakeAsker()
    (draft,) = drafts(requests(1, 1), Screen(repairable=["r0"]), asker)
    first, second = asker.asked
    assert second[: len(first)] == first and second[-1]["content"].endswith("- say it")
    assert second[-2] == {"role": "assistant", "content": first[-1]["content"]}
    assert draft.repaired and draft.attempts == 2 and draft.completion_tokens == 4


def test_a_two_step_note_is_planned_and_then_written():
    asker = FakeAsker()
    (draft,) = drafts([request(follow_up="Now write.")], Screen(), asker)
    plan, note = asker.asked
    assert draft.plan == plan[-1]["content"] and draft.text == "Now write."
    assert [message["role"] for message in note] == ["user", "assistant", "user"]
    assert (draft.prompt_tokens, draft.completion_tokens) == (6, 4)


def test_a_note_of_several_chats_stands_between_the_real_text():
    chats = [[{"role": "user", "content": part}] for part in ("one", "two")]
    (draft,) = drafts([request(chats=chats, before="<", after=">")], Screen())
    assert draft.text == "<one\ntwo>"


def test_the_judge_is_asked_about_good_notes_alone_and_its_words_are_kept():
    asker = FakeAsker()
    judge = lambda one, assessment: [{"role": "user", "content": f"judge {one.request_id}"}]  # noqa: E731
    written = drafts(requests(2, 0), Screen(bad=["r0"]), asker, judge=judge)
    assert [draft.judgement for draft in written] == [None, "judge r1"]
    assert written[1].completion_tokens == 4
