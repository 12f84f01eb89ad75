"""Points per hour and per token by hand; no figure where there is nothing to divide by."""

import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.generation.cost.prices import Price
from longtail_icd.report.efficiency import (
    cost_table,
    efficiency_table,
    hours_of,
    tokens_by_train_set,
)
from longtail_icd.report.jobs import read_benchmark
from report_tables import comparisons_table

PAIRS = [{"baseline": "original", "against": "extended"}]
NOTES = pl.DataFrame(
    {
        "model": ["small", "small", "large"],
        "prompt_tokens": [1_000_000, 500_000, 10],
        "completion_tokens": [250_000, 250_000, 20],
    }
)


def trainings(device="cpu", devices=1):
    rows = [
        ("gki_icd", train_set, f"seed{seed}", hours, device, devices)
        for train_set, both in (("original", (0.4, 0.6)), ("extended", (1.5, 2.5)))
        for seed, hours in enumerate(both)
    ]
    columns = ["model", "train_set", "seed", "hours", "device", "devices"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def efficiency(one, tokens):
    comparisons = comparisons_table(("original", "extended"), 2)
    return efficiency_table(comparisons, PAIRS, "gki_icd", one, tokens).rows[0]


def test_a_gain_per_hour_and_per_million_tokens():
    """4.21 points in 2 hours, on four GPUs 8 GPU-hours, with half a million more tokens."""
    tokens = {"original": 0, "extended": 500_000}
    row = efficiency(trainings("H100", devices=4), tokens)
    assert row[2:] == ["0.50", "2.00", "+2.1", "+0.5", "+8.4"]


def test_without_gpu_or_tokens_there_are_dashes():
    row = efficiency(trainings(), {"original": 0, "extended": 0})
    assert row[2:] == ["0.50", "2.00", "+2.1", "–", "–"]
    assert hours_of(trainings(), "gki_icd", "original") == (pytest.approx(0.5), None)


def test_tokens_and_dollars_by_model():
    prices = {"small": Price(input=1.0, output=2.0, source="test")}
    rows = cost_table({"paper": NOTES}, prices).rows
    assert rows == [
        ["paper", "large", "1", "10", "20", "–"],
        ["paper", "small", "2", "1,500,000", "500,000", "2.50"],
    ]


def test_a_train_set_has_the_tokens_of_its_recipes():
    sets = {"original": {"recipes": []}, "both": {"recipes": ["paper", "paper2"]}}
    assert tokens_by_train_set(sets, {"paper": NOTES, "paper2": NOTES}) == {
        "original": 0,
        "both": 2 * 500_020,
    }


@pytest.mark.parametrize("text", [None, "", "no table\n", "s\th:m:s\n-\t0\n"])
def test_a_broken_benchmark_is_one_clear_error(tmp_path, text):
    path = tmp_path / "benchmark.tsv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=r"benchmark.tsv.*remove it"):
        read_benchmark(path)
