"""What a plan will cost: by hand on small plans, and on a stand-in that answers a pilot."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import yaml
from generation_stage import Stage, many_sets, prompts_table, request, table
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.generation.cost.estimate import (
    COLUMNS,
    Sizes,
    assumed_sizes,
    estimate,
    measured_sizes,
    request_table,
)
from longtail_icd.generation.cost.page import cost_page
from longtail_icd.generation.cost.pilot import ask_pilot, known_drafts, pilot_ids
from longtail_icd.generation.cost.prices import Price, load_prices
from longtail_icd.generation.requests import requests_of
from stand_in_server import StandInServer

ROOT = Path(__file__).parents[3]
PRICES = ROOT / "resources" / "prices.yaml"
PRICE = Price(input=2.0, output=10.0, source="here")


def requests(*rows):
    """Return the requests of (tier, reserve, characters)."""
    columns = {"tier": pl.String, "reserve": pl.Boolean, "characters": pl.Int64}
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return frame.with_columns(request_id="r" + pl.int_range(pl.len()).cast(pl.String))


PLAN = requests(
    ("tail", False, 400), ("tail", False, 800), ("tail", True, None),
    ("zero_shot", False, 1200), ("few_shot", False, 4000), ("few_shot", True, None),
)  # fmt: skip


def test_costs_by_hand():
    """At 4 characters a token, 1,000 tokens an answer, 2 and 10 USD a million, 500 tokens/s."""
    rows = estimate(PLAN, Sizes(4.0, 1000, 0), PRICE, 500)
    assert [row["tier"] for row in rows] == ["tail", "few_shot", "zero_shot", "all"]
    tail = dict(zip(COLUMNS, [2, 1, 300, 2000, 2000 / 500 / 3600, 0.0206, 0.0309], strict=True))
    assert rows[0] == {"tier": "tail"} | {name: pytest.approx(tail[name]) for name in COLUMNS}
    # A few-shot request costs 1,000 tokens in and out: 0.012 USD; a zero-shot one 0.0106.
    everything = [4, 2, 1600, 4000, 4000 / 500 / 3600, 0.0206 + 0.012 + 0.0106,
                  0.0309 + 0.024 + 0.0106]  # fmt: skip
    assert [rows[-1][name] for name in COLUMNS] == pytest.approx(everything)


def test_what_is_not_known_is_not_made_up():
    rows = estimate(PLAN, Sizes(4.0, 1000, 0), None, None)
    assert {row[name] for row in rows for name in ("hours", "usd", "usd_with_reserve")} == {None}
    assert rows[-1]["completion_tokens"] == 4000


def test_a_recipe_without_requests_costs_nothing():
    (row,) = estimate(requests(), Sizes(4.0, 100, 0), PRICE, 10.0)
    assert row["tier"] == "all" and {row[name] for name in COLUMNS} == {0}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["tail", "few_shot", "zero_shot"]),
            st.booleans(),
            st.integers(1, 10_000),
        ),
        max_size=20,
    )
)
def test_tiers_add_up_and_a_reserve_only_adds(rows):
    """Laws: the last row is the sum of the others; planned requests cost at most the whole plan."""
    *tiers, total = estimate(requests(*rows), Sizes(4.0, 1000, 0), PRICE, 500)
    for name in COLUMNS:
        assert total[name] == pytest.approx(sum(row[name] for row in tiers))
    assert total["usd"] <= total["usd_with_reserve"] * (1 + 1e-9)
    assert total["planned"] + total["reserve"] == len(rows)


def test_a_request_is_found_by_its_anchor_tier_and_has_the_length_of_its_messages():
    code_sets = table(
        "plan/code_sets",
        [
            {"request_id": name, "anchor": anchor, "codes": [anchor], "strategy": "alone",
             "source_note_id": None, "reason": "", "reserve": reserve}
            for name, anchor, reserve in [
                ("b", "1.0", False), ("a", "2.0", False), ("c", "1.0", True)
            ]
        ],
    )  # fmt: skip
    tiers = table(
        "plan/tiers",
        [
            {"version": "icd9cm", "code": code, "kind": "diagnosis", "n_train": 1, "tier": tier}
            for code, tier in [("1.0", "few_shot"), ("2.0", "tail"), ("3.0", "head")]
        ],
    )
    chats = {"a": ["süß"], "b": ["four", "\n\n"]}
    follow_ups = {"a": "now", "b": None}
    prompts = prompts_table(
        [
            request(
                name,
                chats=[[{"role": "user", "content": text} for text in texts]],
                follow_up=follow_ups[name],
            )
            for name, texts in chats.items()
        ]
    )
    assert request_table(code_sets, prompts, tiers).rows() == [
        ("b", "few_shot", False, 1, 6),
        ("a", "tail", False, 2, 3 + 3 + 3),
        ("c", "few_shot", True, None, None),
    ]
    # Three questions of two notes: one and a half answers of up to 100 tokens each.
    assert assumed_sizes(request_table(code_sets, prompts, tiers), 100) == Sizes(4.0, 150, 0)


def answer(prompt_tokens, completion_tokens):
    return SimpleNamespace(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)


def test_sizes_come_from_the_answers_that_count_their_tokens():
    """Two answers: 400 + 800 characters in 100 + 200 tokens, 60 and 100 tokens out."""
    answers = {"r0": answer(100, 60), "r1": answer(200, 100), "r3": answer(0, 0)}
    assert measured_sizes(PLAN, answers) == Sizes(4.0, 80, 2)
    assert measured_sizes(PLAN, {"r3": answer(0, 0)}) is None
    assert measured_sizes(PLAN, {}) is None


def test_a_pilot_takes_planned_requests_of_each_tier_in_turn():
    assert pilot_ids(PLAN, 2) == ["r0", "r3"]
    assert pilot_ids(PLAN, 50) == ["r0", "r3", "r4", "r1"]
    many = requests(*[("tail", False, 1)] * 900, *[("few_shot", False, 1)] * 10)
    ids = pilot_ids(many, 50)
    assert len(set(ids)) == 50 and sum(int(name[1:]) >= 900 for name in ids) == 10


def test_every_price_is_dated_and_has_a_source():
    prices = load_prices(PRICES, {"mine": {"input": 0, "output": 0, "tokens_per_s": 9.0}})
    assert prices["gpt-5-mini"].usd(180e6, 135e6) == pytest.approx(315)
    assert prices["mine"] == Price(0, 0, "generation.prices", 9.0)
    for row in yaml.safe_load(PRICES.read_text()).values():
        assert row["date"].year >= 2026 and row["source"] and row["input"] <= row["output"]


def test_the_users_own_price_goes_first():
    assert load_prices(PRICES, {"gpt-5-mini": {"input": 1, "output": 2}})["gpt-5-mini"].output == 2


@pytest.mark.parametrize(
    "row",
    ["{input: 1, output: 2, date: 2026-01-01}", "{input: 1}",
     "{input: 1, output: 2, date: x, source: y, extra: 1}"],
)  # fmt: skip
def test_a_price_without_a_source_is_refused(tmp_path, row):
    path = tmp_path / "prices.yaml"
    path.write_text(f"one: {row}\n")
    with pytest.raises(UserError, match=r"prices.yaml: one: needs input, output, source and date"):
        load_prices(path, {})


def page(price=None, answers=0, tokens_per_s=None):
    cost = {
        "recipe": "mine",
        "model": "m-8b",
        "sizes": {"characters_per_token": 4.0, "answer_tokens": 1500.0, "answers": answers},
        "price": price,
        "tokens_per_s": tokens_per_s,
        "rows": estimate(PLAN, Sizes(4.0, 1500.0, answers), price and Price(**price), tokens_per_s),
    }
    return cost_page([cost])


def test_the_page_says_what_its_figures_come_from():
    assumed = page()
    assert "## Recipe mine" in assumed and "assumed without a pilot" in assumed
    assert "m-8b: unknown" in assumed and "speed" not in assumed
    measured = page({"input": 2.0, "output": 10.0, "source": "a list, 2026-01-01"}, 50, 800.0)
    assert "from 50 answers of a pilot" in measured and "(a list, 2026-01-01)" in measured
    assert "800 tokens answered per second" in measured and "unknown" not in measured
    lines = [line for line in measured.splitlines() if line.startswith("|")]
    assert len(lines) == 6 and len({len(line) for line in lines}) == 1


def test_a_plan_without_a_language_model_is_free():
    assert "nothing to pay for" in cost_page([])


def test_a_pilot_is_paid_for_once_and_without_one_nothing_is_sent(tmp_path):
    with StandInServer() as server:
        stage = Stage(tmp_path, server.writer(), sets=many_sets(6))
        assert stage.run("compose_prompts")[0] == 0
        asked = list(requests_of(stage.read("prompts/000")))
        writer, journal = server.writer(), tmp_path / "journal"
        assert known_drafts(writer, journal, asked) == {} and server.requests == []
        assert ask_pilot(writer, journal, asked) > 0
        assert len(server.requests) == 6
        # Of answers that were there before nobody knows how long they took.
        assert ask_pilot(writer, journal, asked) is None and len(server.requests) == 6
        known = known_drafts(writer, journal, asked)
    assert set(known) == {one.request_id for one in asked}
    assert {one.completion_tokens for one in known.values()} == {50}
