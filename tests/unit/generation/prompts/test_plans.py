"""Plans as models answer them: read where they can be read, and never an exception."""

import json

from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.generation.prompts.plans import items_of, wordings_in

KNOWLEDGE = [{"code": "428.0"}, {"code": "401.9"}]


def test_a_fence_around_a_plan_does_not_matter():
    plan = '```json\n{"items": [{"item": 2, "wording": "htn"}, {"item": 1, "wording": "chf"}]}\n```'
    assert wordings_in(plan, KNOWLEDGE) == {"401.9": "htn", "428.0": "chf"}


def test_entries_without_a_code_are_left_out():
    items = [{"item": 0, "wording": "a"}, {"item": 3, "wording": "b"}, {"item": 1}]
    assert wordings_in(json.dumps({"items": items}), KNOWLEDGE) == {}


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_what_is_no_plan_has_no_items(text):
    assert items_of(text) == []
    assert items_of('{"items": [' + text + "]}") == []
