"""The shards of a recipe put together, and the account of them."""

import pytest
from generation_stage import prompts_table, request, table
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import write_table
from longtail_icd.generation.collect import check_any_ok, manifest, merge_shards, reject_duplicates

# (request, anchor, status, reasons, data class, endpoint), by shard
SHARDS = [
    [
        ("c", "428.0", "ok", [], "text", "http://127.0.0.1:1/v1"),
        ("a", "428.0", "rejected", ["too_short"], "record", "http://127.0.0.1:1/v1"),
    ],
    [
        ("b", "V45.81", "rejected", ["too_short", "near_copy"], "text", "http://127.0.0.1:1/v1"),
        ("d", "V45.81", "rejected", ["no_answer"], "record", None),
    ],
    [],
]


def answer(request_id, endpoint=None):
    return {
        "request_id": request_id,
        "text": "x",
        "plan": None,
        "judgement": None,
        "repaired": False,
        "finish_reason": "stop",
        "model": "m",
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "attempts": 1,
        "endpoint": endpoint,
    }


@pytest.fixture
def shards(tmp_path):
    paths = {name: [] for name in ("notes", "labels", "prompts", "responses")}
    for number, rows in enumerate(SHARDS):
        frames = {
            "notes": [
                {**answer(one), "anchor": anchor, "status": status, "reasons": reasons}
                for one, anchor, status, reasons, *_ in rows
            ],
            "labels": [
                {
                    "request_id": one,
                    "code": code,
                    "role": role,
                    "verdict": "stated",
                    "evidence": [{"start": 0, "end": 1}],
                    "weight": 1.0,
                }
                for one, anchor, status, *_ in rows
                if status == "ok"
                for code, role in ((anchor, "anchor"), ("401.9", "companion"))
            ],
            "prompts": prompts_table(
                [
                    request(one, anchor=anchor, codes=[anchor], data_class=data_class)
                    for one, anchor, _, _, data_class, _ in rows
                ]
            ).to_dicts(),
            "responses": [answer(one, endpoint) for one, *_, endpoint in rows],
        }
        for name, content in frames.items():
            path = tmp_path / f"{name}{number}.parquet"
            write_table(table(f"generation/{name}", content), path, f"generation/{name}")
            paths[name].append(path)
    return paths


def account_of(shards):
    notes = merge_shards(shards["notes"], "generation/notes")
    labels = merge_shards(shards["labels"], "generation/labels")
    return notes, labels, manifest(notes, labels, shards["prompts"], shards["responses"])


def test_rows_are_sorted_by_request_and_labels_keep_their_order(shards):
    notes, labels, _ = account_of(shards)
    assert notes["request_id"].to_list() == ["a", "b", "c", "d"]
    assert labels["code"].to_list() == ["428.0", "401.9"]


def test_the_account_says_what_was_asked_what_came_and_where_it_went(shards):
    *_, account = account_of(shards)
    here = "http://127.0.0.1:1/v1"
    assert account == {
        "notes": {"ok": 1, "rejected": 3},
        "reasons": {"near_copy": 1, "no_answer": 1, "too_short": 2},
        "models": {"m": 4},
        "tokens": {"prompt_tokens": 40, "completion_tokens": 8},
        "data_classes": [
            {"endpoint": here, "data_class": "record", "count": 1},
            {"endpoint": here, "data_class": "text", "count": 2},
            {"endpoint": None, "data_class": "record", "count": 1},
        ],
        "anchors": 2,
        "coverage": {"all": 0, "some": 1, "none": 1},
        "missing_anchors": ["V45.81"],
        "labels": [
            {"role": "anchor", "verdict": "stated", "count": 1},
            {"role": "companion", "verdict": "stated", "count": 1},
        ],
    }


def test_a_note_that_another_anchor_has_already_is_rejected_with_its_labels():
    text = "The patient was admitted with chest pain and was treated. " * 3
    texts = [text, "Something else was found in this stay, and no one knows what. " * 2, text]
    notes = table(
        "generation/notes",
        [
            {**answer(one), "anchor": one, "status": "ok", "reasons": [], "text": said}
            for one, said in zip("abc", texts, strict=True)
        ],
    )
    labels = table("generation/labels", [{"request_id": one, "code": one} for one in "abc"])
    kept, left = reject_duplicates(notes, labels, 0.8)
    assert kept["status"].to_list() == ["ok", "ok", "rejected"]
    assert kept["reasons"].to_list() == [[], [], ["near_duplicate"]]
    assert left["request_id"].to_list() == ["a", "b"]
    assert reject_duplicates(notes, labels, None)[0].equals(notes)


def test_no_good_note_at_all_is_one_clear_error(shards):
    *_, account = account_of(shards)
    check_any_ok(account, "paper")
    with pytest.raises(UserError, match=r"none of 3 notes passed.*near_copy 1.*screening"):
        check_any_ok({**account, "notes": {"rejected": 3}}, "paper")
    with pytest.raises(UserError, match="no note was asked for"):
        check_any_ok({**account, "notes": {}}, "paper")
