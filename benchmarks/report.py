"""Benchmark of the report: figures and page of a run with many codes, notes and runs.

No yardstick: there is no other plain way to draw the same figures; the rates stand alone.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from measure import measured, report

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from longtail_icd.common.files import write_text
from longtail_icd.common.tables import TABLES
from longtail_icd.report.code_frequencies import plot_code_frequencies, synthetic_mentions
from longtail_icd.report.f1_by_code import code_pairs, draw_f1_by_code
from longtail_icd.report.f1_by_tier import plot_f1_by_tier
from longtail_icd.report.learning_curves import plot_learning_curves

EDGES = {"head": 1000, "medium": 100, "tail": 10}
TIERS = ("head", "medium", "tail", "few_shot", "zero_shot")
MODELS = ("gki_icd", "plm_icd")
TRAIN_SETS = ("original", "extended")


def _tiers(codes: int) -> pl.DataFrame:
    """Train frequencies by a power law, as in a real corpus; a code's tier does not matter here."""
    counts = (20000 / np.arange(1, codes + 1) ** 1.2).astype(np.int64)
    names = [f"{index:05d}" for index in range(codes)]
    return pl.DataFrame({"code": names, "n_train": counts, "tier": "tail"})


def _synthetic(notes: int, codes: int, labels_per_note: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    generator = np.random.default_rng(1)
    drawn = generator.integers(codes, size=notes * labels_per_note)
    requests = np.arange(notes)
    labels = pl.DataFrame({"request": np.repeat(requests, labels_per_note), "number": drawn})
    first = pl.int_range(pl.len()) % labels_per_note == 0
    return (
        pl.DataFrame({"request_id": requests}).select(
            pl.all().cast(pl.String), status=pl.lit("ok")
        ),
        labels.select(
            request_id=pl.col("request").cast(pl.String),
            code=pl.col("number").cast(pl.String).str.zfill(5),
            role=pl.when(first).then(pl.lit("anchor")).otherwise(pl.lit("companion")),
        ),
    )


def _metrics(seeds: int) -> pl.DataFrame:
    rows = [
        {
            "corpus": "benchmark",
            "model": model,
            "train_set": train_set,
            "seed": seed,
            "split": "test",
            "threshold_kind": "micro_f1",
            "tier": tier,
            "metric": "micro_f1",
            "value": 0.5 - 0.1 * place,
            "support": 100,
            "ci_low": 0.45 - 0.1 * place,
            "ci_high": 0.55 - 0.1 * place,
            "ci_method": "none",
        }
        for model in MODELS
        for train_set in TRAIN_SETS
        for seed in range(seeds)
        for place, tier in enumerate(TIERS)
    ]
    return pl.DataFrame(rows, schema=TABLES["evaluation/metrics"].columns)


def _histories(seeds: int, steps: int) -> dict[str, pl.DataFrame]:
    epochs = np.linspace(0.01, 12, steps)
    one = pl.DataFrame({"epoch": epochs, "metric": "loss", "value": np.exp(-epochs)})
    return {
        f"{model}/{train_set}/seed{seed}": one
        for model in MODELS
        for train_set in TRAIN_SETS
        for seed in range(seeds)
    }


def _codes(codes: int) -> pl.DataFrame:
    """Every code has a test label and an F1 of its own."""
    generator = np.random.default_rng(1)
    names = [f"{index:05d}" for index in range(codes)]
    shared = {"code": names, "title": "some title of a code", "family": names, "tier": "tail"}
    parts = [
        pl.DataFrame(
            {
                "model": model,
                "train_set": train_set,
                **shared,
                "n_train": 20,
                "n_test": 5,
                "f1": generator.random(codes),
                "missed": 1.0,
                "mistaken": 0.5,
            }
        )
        for model in MODELS
        for train_set in TRAIN_SETS
    ]
    return pl.concat(parts)


def _draw(options: argparse.Namespace) -> int:
    """Draw all figures; return their bytes."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.svg" for name in ("f1", "frequencies", "curves", "codes")]
        plot_f1_by_tier(_metrics(options.seeds), TRAIN_SETS, EDGES, paths[0])
        synthetic = _synthetic(options.notes, options.codes, options.labels_per_note)
        mentions = {"paper": synthetic_mentions(*synthetic)}
        plot_code_frequencies(_tiers(options.codes), mentions, EDGES, paths[1])
        plot_learning_curves(_histories(options.seeds, options.steps), TRAIN_SETS, paths[2])
        pair = dict(zip(("baseline", "against"), TRAIN_SETS, strict=True))
        pairs = code_pairs(_codes(options.codes), pair)
        write_text(draw_f1_by_code(pairs, pair), paths[3])
        return sum(path.stat().st_size for path in paths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=int, default=9000, help="codes of the label space")
    parser.add_argument("--notes", type=int, default=20000, help="synthetic notes")
    parser.add_argument("--labels-per-note", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=3, help="runs per model and train set")
    parser.add_argument("--steps", type=int, default=500, help="logged losses per run")
    options = parser.parse_args()
    size, figures = measured(lambda: _draw(options))
    report(
        stage="report",
        **figures,
        labels_per_s=round(options.notes * options.labels_per_note / figures["wall_s"]),
        figures_kb=round(size / 1000, 1),
        codes=options.codes,
        notes=options.notes,
    )


if __name__ == "__main__":
    main()
