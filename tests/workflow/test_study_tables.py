"""docs/studies/codiesp_tables.py: claims and cases are those of the page's sections 5 and 10."""

import importlib.util
from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common.tables import TABLES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tables():
    path = ROOT / "docs" / "studies" / "codiesp_tables.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def comparisons(changes=()):
    """Every difference of claims +2 points [+1, +3], but for those that change.

    Args:
        changes: of a baseline and a tier, the ends of its interval.
    """
    baselines = ["original_equal_steps", "original", "permuted", "repeated", "description"]
    rows = []
    for baseline in baselines:
        for tier in ("few_shot", "zero_shot", "all"):
            low, high = dict(changes).get((baseline, tier), (0.01, 0.03))
            side = {"baseline": baseline, "against": "planned", "tier": tier}
            values = {"delta": (low + high) / 2, "ci_low": low, "ci_high": high}
            rows.append(side | values | {"metric": "micro_f1"})
    return pl.DataFrame(rows)


def verdicts(tables, changes=()):
    lines = tables.claims(comparisons(changes), "planned")
    return [line.rsplit(": ")[-1] for line in lines if line.startswith("- ")]


def test_all_claims_hold_where_every_interval_lies_above_zero(tables):
    assert verdicts(tables) == ["holds"] * 3


@pytest.mark.parametrize(
    ("baseline", "tier", "interval", "expected"),
    [
        ("original_equal_steps", "few_shot", (0.0, 0.02), ["does not hold"]),
        ("original", "zero_shot", (-0.03, -0.01), ["does not hold"]),
        ("original_equal_steps", "all", (-0.01, 0.02), ["does not hold"]),
        ("original_equal_steps", "all", (-0.009, 0.02), ["holds"] * 3),
        ("original", "all", (-0.2, -0.1), ["holds"] * 3),
        ("repeated", "few_shot", (-0.01, 0.02), ["holds", "does not hold"]),
        ("description", "zero_shot", (-0.01, 0.02), ["holds", "holds", "does not hold"]),
    ],
)
def test_a_claim_falls_with_one_interval_and_ends_the_sequence(
    tables, baseline, tier, interval, expected
):
    """The guard is asked of the baseline with as many steps alone: a loss of a point is one."""
    assert verdicts(tables, {(baseline, tier): interval}) == expected


def test_a_claim_without_its_comparison_is_no_claim(tables):
    part = comparisons().filter(pl.col("baseline") != "repeated")
    assert list(tables.claims(part, "planned"))[-1].endswith(
        "planned was not compared with repeated"
    )


def test_cases_are_coders_labels_by_seeds_then_note_then_code(tables):
    """Ten are gained though eleven would be; of those that changed as much the first by name."""
    columns = TABLES["evaluation/changed_labels"].columns
    sides = {"baseline": "original_equal_steps", "against": "planned", "model": "plm_ca"}
    about = {"version": "icd10cm", "kind": "diagnosis", "tier": "few_shot"}

    def row(note, code, before, after, gold=True):
        seeds = {"baseline_seeds": before, "against_seeds": after}
        return sides | about | seeds | {"note_id": note, "code": code, "gold": gold}

    gained = [row(f"n{number:02}", "A00", 0, 3) for number in range(10)]
    most, wrong, lost = (
        row("n99", "B00", 0, 5),
        row("n50", "C00", 0, 5, False),
        row("n1", "D00", 4, 0),
    )
    changed = pl.DataFrame([lost, wrong, *reversed(gained), most], schema=dict(columns))
    found = [(name, case["note_id"]) for name, case in tables.cases(changed)]
    assert found[:10] == [("gained", "n99"), *(("gained", f"n{number:02}") for number in range(9))]
    assert found[10:] == [("lost", "n1")]


def test_a_wording_stands_in_a_note_but_for_case_plural_and_punctuation(tables):
    titles = pl.DataFrame({"code": ["I50.9"], "title": ["Heart failure, unspecified"]})
    synonyms = pl.DataFrame({"code": ["I50.9"], "synonym": ["heart failure"]})
    texts = {"n1": "Chronic Heart-Failures.", "n2": "The heart did not fail."}
    wordings = tables.Wordings(titles, synonyms, texts)
    assert wordings.in_note("n1", "I50.9") == ["heart failure"]
    assert wordings.in_note("n2", "I50.9") == wordings.in_note("n2", "X99") == []


def test_a_label_outside_a_label_space_counts_as_missed(tables):
    """Three labels, of which U lies outside; two codes given, one of them rightly."""
    gold = pl.DataFrame(
        {
            "note_id": ["a", "a", "b"],
            "code": ["F", "U", "F"],
            "tier": ["few_shot", "zero_shot", "few_shot"],
        }
    )
    given = pl.DataFrame({"note_id": ["a", "b"], "code": ["F", "X"]})
    expected = {"micro_f1": 2 * 1 / (3 + 2), "recall_few_shot": 1 / 2, "unseen_found": 0}
    assert tables.reached(gold, given) == expected
