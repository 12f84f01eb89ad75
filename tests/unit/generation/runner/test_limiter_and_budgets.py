"""How many requests may be in flight, how many per minute, and for how much money."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.generation.runner.budgets import Money, PerMinute, read_budgets
from longtail_icd.generation.runner.limiter import AdaptiveLimit


def test_the_limit_doubles_with_every_round_of_answers_up_to_the_most():
    limit = AdaptiveLimit(100, first=16)
    sizes = []
    for _ in range(4):
        for _ in range(int(limit.limit)):
            limit.succeeded()
        sizes.append(int(limit.limit))
    assert sizes == [32, 64, 100, 100]


def test_a_busy_server_lowers_the_limit_once_a_round_and_growth_is_slow_from_then_on():
    limit = AdaptiveLimit(100, first=40)
    for _ in range(8):  # more than a tenth of 40
        limit.overloaded(entered=1e18)
    assert limit.limit == 30
    # These were under way when the limit fell.
    for _ in range(30):
        limit.overloaded(entered=0.0)
    assert limit.limit == 30
    for _ in range(31):
        limit.succeeded()
    assert 30.9 < limit.limit < 31.1


def test_a_few_refusals_among_many_answers_lower_nothing():
    limit = AdaptiveLimit(100, first=100)
    for number in range(1000):
        limit.succeeded()
        if number % 20 == 0:
            limit.overloaded(entered=1e18)
    assert limit.limit == 100


@given(st.lists(st.booleans(), max_size=300), st.integers(1, 50))
def test_the_limit_stays_between_one_and_the_most(outcomes, most):
    limit = AdaptiveLimit(most)
    for good in outcomes:
        limit.succeeded() if good else limit.overloaded(entered=1e18)
        assert 1 <= limit.limit <= most


def test_no_more_than_the_limit_are_in_and_all_get_their_turn():
    limit, inside, peak, done = AdaptiveLimit(3, first=3), 0, 0, []

    async def one(number):
        nonlocal inside, peak
        await limit.enter()
        inside += 1
        peak = max(peak, inside)
        await asyncio.sleep(0)
        inside -= 1
        limit.leave()
        done.append(number)

    async def everyone():
        await asyncio.gather(*map(one, range(20)))

    asyncio.run(everyone())
    assert peak == 3 and sorted(done) == list(range(20)) and limit.in_flight == 0


def test_an_allowance_is_waited_for_and_a_second_of_it_at_most_is_saved():
    now, slept = 0.0, []

    async def sleep(seconds):
        nonlocal now
        slept.append(seconds)
        now += seconds

    async def take(amounts):
        allowance = PerMinute(60, clock=lambda: now)
        for amount in amounts:
            await allowance.take(amount, sleep)

    asyncio.run(take([1, 1, 1, 5, 1]))
    # A second each from the second one on; after five at once five seconds.
    assert slept == [1.0, 1.0, 1.0, 5.0]


def test_money_is_counted_in_millions_of_tokens_and_its_end_is_an_error():
    money = Money(limit=1.0, prompt_price=2.0, completion_price=10.0)
    money.add({"prompt_tokens": 100_000, "completion_tokens": 50_000})
    assert money.spent == pytest.approx(0.7)
    with pytest.raises(UserError, match=r"spent \(1.20 of 1.00\)"):
        money.add({"prompt_tokens": 0, "completion_tokens": 50_000})


def test_without_a_block_nothing_is_bounded():
    budgets = read_budgets({})
    budgets.money.add({"prompt_tokens": 10**12, "completion_tokens": 10**12})
    assert budgets.money.spent == 0
