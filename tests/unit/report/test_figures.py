"""The figures: what they aggregate, and that a rerun gives the same bytes."""

import xml.etree.ElementTree as ET
from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common.tables import empty_table
from longtail_icd.report.allocation import (
    allocation_table,
    planned_mentions,
    plot_allocation,
)
from longtail_icd.report.code_frequencies import (
    _curve,
    frequencies,
    frequencies_by_tier,
    plot_code_frequencies,
    synthetic_mentions,
)
from longtail_icd.report.f1_by_tier import f1_by_tier, plot_f1_by_tier
from longtail_icd.report.learning_curves import per_epoch, plot_learning_curves
from longtail_icd.report.plausibility import plot_plausibility
from longtail_icd.report.quality import plot_quality
from longtail_icd.report.sources import FIGURES
from longtail_icd.report.style import hatch, look
from report_run import draw_figures
from report_tables import EDGES


def test_same_data_same_bytes(tmp_path):
    runs = [draw_figures(tmp_path / name, ["original", "extended"], [1, 2]) for name in "ab"]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("name", FIGURES)
def test_svg_is_well_formed_dateless_and_follows_the_pages_text_colour(sample_run, name):
    text = Path(sample_run()[name]).read_text(encoding="utf-8")
    ET.fromstring(text)
    assert "currentColor" in text
    assert "<metadata>" not in text
    assert "#010203" not in text


def test_axes_name_what_they_show_and_its_unit(sample_run):
    paths = sample_run()
    for name, label in (
        ("f1_by_tier", "pooled F1 (points)"),
        ("allocation", "mentions added"),
        ("plausibility", "AUC (0.5: not at all)"),
        ("code_frequencies", "notes per code"),
        ("quality", "synthetic over real (1: alike)"),
        ("learning_curves", "epoch"),
    ):
        assert f">{label}</text>" in Path(paths[name]).read_text(encoding="utf-8")


def test_ids_of_all_figures_on_one_page_differ(sample_run):
    paths = sample_run()
    ids = [
        element.get("id")
        for name in FIGURES
        for element in ET.parse(paths[name]).iter()
        if element.get("id")
    ]
    assert len(ids) == len(set(ids))


def metrics_of(values):
    rows = [
        {
            "corpus": "c",
            "model": "plm_icd",
            "train_set": "original",
            "seed": seed,
            "split": split,
            "threshold_kind": "micro_f1",
            "tier": tier,
            "metric": "micro_f1",
            "value": value,
            "support": 5,
            "ci_low": low,
            "ci_high": high,
            "ci_method": "b",
        }
        for seed, split, tier, value, low, high in values
    ]
    return pl.DataFrame(rows, schema=empty_table("evaluation/metrics").schema)


def test_f1_by_tier_averages_seeds_on_test_within_tiers_only():
    rows = f1_by_tier(
        metrics_of(
            [
                (2, "test", "few_shot", 0.3, 0.2, 0.4),
                (1, "test", "few_shot", 0.1, 0.0, 0.2),
                (1, "dev", "few_shot", 0.9, 0.9, 0.9),
                (1, "test", "all", 0.8, 0.8, 0.8),
                (1, "test", "zero_shot", None, None, None),
            ]
        )
    )
    assert rows.height == 1
    row = rows.row(0, named=True)
    assert row["mean"] == pytest.approx(20)
    assert (row["low"], row["high"]) == (pytest.approx(10), pytest.approx(30))
    assert row["values"] == pytest.approx([10, 30])


def test_twelve_series_can_be_told_apart_as_lines_and_as_bars():
    """As many as the study on CodiEsp has; what differs is the colour, or else the filling."""
    assert len({tuple(sorted(look(index).items())) for index in range(12)}) == 12
    bars = {(look(index)["color"], hatch(index)) for index in range(12)}
    assert len(bars) == 12


def test_figures_without_any_row_are_drawn_and_say_so(tmp_path):
    plot_f1_by_tier(empty_table("evaluation/metrics"), ["original"], EDGES, tmp_path / "f1.svg")
    assert "no scores by tier" in (tmp_path / "f1.svg").read_text()
    history = {"plm_icd/original/seed1": empty_table("training/history")}
    plot_learning_curves(history, ["original"], tmp_path / "curves.svg")
    assert "no history" in (tmp_path / "curves.svg").read_text()
    plot_plausibility({}, tmp_path / "likeness.svg")
    assert "no recipe with companions" in (tmp_path / "likeness.svg").read_text()
    plot_quality({}, tmp_path / "quality.svg")
    assert "no recipe with notes" in (tmp_path / "quality.svg").read_text()


def synthetic():
    notes = pl.DataFrame({"request_id": ["a", "b", "c"], "status": ["ok", "ok", "rejected"]})
    labels = pl.DataFrame(
        {
            "request_id": ["a", "a", "b", "b", "c"],
            "code": ["009.0", "001.0", "001.0", "009.0", "009.0"],
            "role": ["anchor", "companion", "anchor", "companion", "anchor"],
        }
    )
    return notes, labels


def test_only_kept_notes_count_as_mentions():
    counted = synthetic_mentions(*synthetic())
    assert counted.rows() == [("001.0", 1, 1), ("009.0", 1, 1)]


def test_frequencies_add_up_by_tier():
    tiers = pl.DataFrame(
        {
            "code": ["001.0", "009.0", "010.0"],
            "n_train": [120, 3, 0],
            "tier": ["head", "few_shot", "zero_shot"],
        }
    )
    codes = frequencies(tiers, synthetic_mentions(*synthetic()))
    assert codes["code"].to_list() == tiers["code"].to_list()
    by_tier = {row[0]: row[1:] for row in frequencies_by_tier(codes).rows()}
    assert by_tier == {
        "head": (1, 120, 1, 1),
        "medium": (0, 0, 0, 0),
        "tail": (0, 0, 0, 0),
        "few_shot": (1, 3, 1, 1),
        "zero_shot": (1, 0, 0, 0),
    }


def test_planned_mentions_leave_reserves_out_and_tell_anchors_from_companions():
    code_sets = pl.DataFrame(
        {
            "anchor": ["009.0", "009.0", "001.0"],
            "codes": [["001.0", "009.0"], ["001.0", "009.0"], ["001.0"]],
            "reserve": [False, True, False],
        }
    )
    assert planned_mentions(code_sets).rows() == [("001.0", 1, 1), ("009.0", 1, 0)]


def test_allocation_table_by_hand():
    """A tier that train never shows has no ratio; without recipes there is no table."""
    tiers = pl.DataFrame(
        {
            "code": ["001.0", "009.0", "010.0"],
            "n_train": [120, 3, 0],
            "tier": ["head", "few_shot", "zero_shot"],
        }
    )
    counts = pl.DataFrame(
        {"code": ["001.0", "009.0", "010.0"], "anchor": [0, 2, 5], "companion": [6, 1, 0]}
    )
    table = allocation_table(tiers, {"paper": counts})
    assert table.header[3:] == [
        "paper: as anchor",
        "paper: as companion",
        "paper: after ÷ before",
    ]
    assert table.rows == [
        ["head", "1", "120", "0", "6", "1.05"],
        ["medium", "0", "0", "0", "0", "–"],
        ["tail", "0", "0", "0", "0", "–"],
        ["few-shot", "1", "3", "2", "1", "2.00"],
        ["zero-shot", "1", "0", "5", "0", "–"],
        ["all codes", "3", "123", "7", "7", "1.11"],
    ]
    assert allocation_table(tiers, {}) is None


def test_a_configuration_without_plans_has_a_figure_of_train_alone(tmp_path):
    tiers = pl.DataFrame({"code": ["001.0"], "n_train": [12], "tier": ["tail"]})
    plot_allocation(tiers, {}, EDGES, tmp_path / "f.svg")
    assert "with " not in (tmp_path / "f.svg").read_text()


def test_curve_keeps_the_ends_of_every_level():
    ranks, counts = _curve(pl.Series([1, 9, 1, 1, 0]))
    assert ranks.tolist() == [1, 2, 4, 5]
    assert counts.tolist() == [9, 1, 1, 0]


def test_a_corpus_without_synthetic_notes_has_one_curve(tmp_path):
    tiers = pl.DataFrame(
        {"code": ["001.0", "002.0"], "n_train": [12, 0], "tier": ["tail", "zero_shot"]}
    )
    plot_code_frequencies(tiers, {}, EDGES, tmp_path / "f.svg")
    assert "with recipe" not in (tmp_path / "f.svg").read_text()


def test_losses_of_one_epoch_are_averaged_and_its_end_belongs_to_it():
    history = pl.DataFrame(
        {
            "epoch": [0.5, 1.0, 1.0000000002, 1.5],
            "metric": ["loss", "loss", "eval_map", "loss"],
            "value": [2.0, 1.0, 0.4, 0.5],
        }
    )
    assert per_epoch(history, "loss").rows() == [(1.0, 1.5), (2.0, 0.5)]
    assert per_epoch(history, "eval_map").rows() == [(1.0, 0.4)]
