"""The sentences say what the numbers say, in both directions and with their caveats."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.tables import TABLES
from longtail_icd.report.answer import answer

PAIR = {"baseline": "original", "against": "extended"}


def ask(few_shot, overall=(0.0, -0.01, 0.01), n_seeds=1, ci_seeds="conditional"):
    rows = [
        {
            **PAIR,
            "model": "gki_icd",
            "tier": tier,
            "metric": "micro_f1",
            "baseline_value": 0.2,
            "against_value": 0.2 + values[0],
            "delta": values[0],
            "ci_low": values[1],
            "ci_high": values[2],
            "p_value": 0.01,
            "p_adjusted": 0.01,
            "n_seeds": n_seeds,
            "ci_seeds": ci_seeds,
        }
        for tier, values in (("few_shot", few_shot), ("all", overall))
        if values
    ]
    frame = pl.DataFrame(rows, schema=TABLES["evaluation/comparisons"].columns)
    return answer(frame, PAIR, "gki_icd", 0.95)


def test_a_gain_in_words():
    found = ask((0.042, 0.011, 0.075))
    assert found.headline == "+4.2 [+1.1, +7.5]"
    assert found.verdict == "better"
    assert found.sentences[0] == (
        "Pooled F1 over few-shot codes rises by 4.2 points, from 20.0 to 24.2. "
        "The 95% interval of the difference, [+1.1, +7.5], excludes 0."
    )
    assert found.sentences[1].startswith("Micro-F1 over all codes stays at 20.0. The 95%")


def test_a_tiny_difference_is_not_called_none():
    found = ask((0.0002, 0.0001, 0.0004))
    assert "rises by less than 0.1 points, from 20.0 to 20.0" in found.sentences[0]
    assert "excludes 0" in found.sentences[0]


def test_a_loss_is_called_a_loss():
    found = ask((-0.03, -0.05, -0.01))
    assert found.verdict == "worse"
    assert "falls by 3.0 points, from 20.0 to 17.0" in found.sentences[0]


BOUNDS = st.floats(-1, 1, allow_subnormal=False)


@given(BOUNDS, BOUNDS)
def test_excludes_0_is_said_iff_the_interval_does(one, other):
    low, high = min(one, other), max(one, other)
    found = ask(((low + high) / 2, low, high))
    excluded = low > 0 or high < 0
    assert ("excludes 0" in found.sentences[0]) == excluded
    assert ("includes 0" in found.sentences[0]) != excluded
    assert (found.verdict == "open") != excluded


@pytest.mark.parametrize(("seeds", "said"), [(1, "one training seed"), (4, "4 training seeds")])
def test_what_the_interval_does_not_cover_is_said(seeds, said):
    last = ask((0.04, 0.01, 0.07), n_seeds=seeds).sentences[-1]
    assert said in last
    assert "conditional on" in last
    drawn = ask((0.04, 0.01, 0.07), n_seeds=5, ci_seeds="drawn").sentences[-1]
    assert "5 training seeds" in drawn and "the chance of training" in drawn
    assert "conditional" not in drawn


def test_no_few_shot_label_in_test_gives_no_answer_instead_of_a_number():
    """compare_runs leaves out tiers without a gold label."""
    found = ask(None)
    assert found.headline == "–"
    assert found.verdict == "open"
    assert "no label of a few-shot code" in found.sentences[0]
