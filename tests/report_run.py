"""A finished run in files: the tables of report_tables.py, the figures and what training left."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from longtail_icd.common.files import write_text
from longtail_icd.common.tables import TABLES, write_table
from longtail_icd.report.allocation import planned_mentions, plot_allocation
from longtail_icd.report.code_frequencies import plot_code_frequencies
from longtail_icd.report.f1_by_code import code_pairs, draw_f1_by_code
from longtail_icd.report.f1_by_tier import plot_f1_by_tier
from longtail_icd.report.learning_curves import plot_learning_curves
from longtail_icd.report.plausibility import plot_plausibility
from longtail_icd.report.quality import plot_quality
from longtail_icd.report.sources import FIGURES, read_sources
from report_tables import (
    EDGES,
    MANIFEST,
    averages_table,
    code_sets_table,
    codes_table,
    comparisons_table,
    history,
    jobs_table,
    metrics_table,
    plausibility_table,
    quality_table,
    runs_of,
    synonyms_table,
    tiers_table,
)

RESOURCES = Path(__file__).parents[1] / "resources"
TEMPLATE = RESOURCES / "report/page.html.j2"
SECRET_TEXT = "Mrs Example was admitted with a very private complaint"
SECRET_ID = "note-4711"


def _trainings(folder, runs):
    """Half an hour for every run, on a CPU."""
    for run in runs:
        (folder / run / "model").mkdir(parents=True)
        coder = {"device": "cpu", "settings": {"devices": 1}}
        (folder / run / "model/coder.json").write_text(json.dumps(coder))
        (folder / run / "benchmark.tsv").write_text("s\th:m:s\n1800.0\t0:30:00\n")


def _corpus(folder):
    for split, documents in (("train", 4), ("dev", 1), ("test", 2)):
        ids = [f"{SECRET_ID}-{split}-{number}" for number in range(documents)]
        notes = pl.DataFrame(
            {
                "note_id": ids,
                "patient_id": [f"p-{split}"] * documents,
                "time": None,
                "sex": "F",
                "age": 50.0,
                "text": SECRET_TEXT,
            },
            schema=TABLES["corpus/notes"].columns,
        )
        labels = pl.DataFrame(
            [(note, "icd9cm", f"00{code}.0", "diagnosis", code) for note in ids for code in (1, 5)],
            schema=TABLES["corpus/labels"].columns,
            orient="row",
        )
        write_table(notes, folder / f"notes/{split}.parquet", "corpus/notes")
        write_table(labels, folder / f"labels/{split}.parquet", "corpus/labels")
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))


def _generation(folder):
    requests = [f"r{number}" for number in range(4)]
    notes = pl.DataFrame(
        {
            "request_id": requests,
            "anchor": ["005.0", "005.0", "006.0", "007.0"],
            "text": SECRET_TEXT,
            "status": ["ok", "ok", "ok", "rejected"],
            "reasons": [[], [], [], ["too_short"]],
            "model": "offline",
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "attempts": 1,
        },
        schema=TABLES["generation/notes"].columns,
    )
    labels = pl.DataFrame(
        [
            (request, code, role, "found", [], 1.0)
            for request, anchor in zip(requests, notes["anchor"], strict=True)
            for code, role in ((anchor, "anchor"), ("001.0", "companion"))
        ],
        schema=TABLES["generation/labels"].columns,
        orient="row",
    )
    manifest = {
        "notes": {"ok": 3, "rejected": 1},
        "reasons": {"too_short": 1},
        "models": {"offline": 4},
        "data_classes": [{"endpoint": None, "data_class": "text", "count": 4}],
        "missing_anchors": ["007.0"],
    }
    write_table(notes, folder / "notes.parquet", "generation/notes")
    write_table(labels, folder / "labels.parquet", "generation/labels")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    allocation = pl.DataFrame({"code": ["005.0", "006.0", "007.0"], "n_synthetic": [2, 1, 1]})
    write_table(allocation, folder / "allocation.parquet", "plan/allocation")
    write_table(code_sets_table(), folder / "code_sets.parquet", "plan/code_sets")
    write_table(plausibility_table(), folder / "plausibility.parquet", "plan/plausibility")
    write_table(quality_table(), folder / "quality.parquet", "generation/quality")


def draw_figures(folder, train_sets, seeds):
    """Draw the sample run's figures into ``folder``; return their texts by name."""
    bars, by_code, plan, likeness, curves, quality, losses = (
        folder / f"{name}.svg" for name in FIGURES
    )
    plot_f1_by_tier(metrics_table(train_sets, seeds), train_sets, EDGES, bars)
    pair = {"baseline": train_sets[0], "against": train_sets[-1]}
    write_text(draw_f1_by_code(code_pairs(codes_table(train_sets), pair), pair), by_code)
    planned = {"paper": planned_mentions(code_sets_table())}
    plot_allocation(tiers_table(), planned, EDGES, plan)
    plot_plausibility({"paper": plausibility_table()}, likeness)
    mentions = pl.DataFrame({"code": ["001.0", "005.0"], "anchor": [0, 2], "companion": [3, 0]})
    plot_code_frequencies(tiers_table(), {"paper": mentions}, EDGES, curves)
    plot_quality({"paper": quality_table()}, quality)
    histories = {run: history() for run in runs_of(train_sets, seeds)}
    plot_learning_curves(histories, train_sets, losses)
    return {name: (folder / f"{name}.svg").read_text(encoding="utf-8") for name in FIGURES}


@cache
def _figures(train_sets, seeds):
    """Drawn once for all tests: drawing takes most of a sample run's time."""
    with TemporaryDirectory() as folder:
        return draw_figures(Path(folder), train_sets, seeds)


def write_run(folder: Path, train_sets=("original", "extended"), seeds=(1,)) -> dict:
    """Write a finished run into ``folder``; return the inputs of `write_report` by name."""
    tables = {
        "metrics": ("evaluation/metrics", metrics_table(train_sets, seeds)),
        "averages": ("evaluation/averages", averages_table(train_sets, len(seeds))),
        "ensembles": ("evaluation/ensembles", averages_table(train_sets, len(seeds))),
        "comparisons": ("evaluation/comparisons", comparisons_table(train_sets, len(seeds))),
        "codes": ("report/codes", codes_table(train_sets)),
        "jobs": ("report/jobs", jobs_table()),
        "tiers": ("plan/tiers", tiers_table()),
        "synonyms": ("terminology/synonyms", synonyms_table()),
    }
    for name, (table, frame) in tables.items():
        write_table(frame, folder / f"{name}.parquet", table)
    _corpus(folder / "corpus")
    runs = runs_of(train_sets, seeds)
    _trainings(folder / "training", runs)
    (folder / "paper").mkdir()
    _generation(folder / "paper")
    splits = ("train", "dev", "test")
    paths = {
        **{name: str(folder / f"{name}.parquet") for name in tables},
        "published_scores": str(RESOURCES / "published_scores.csv"),
        "prices": str(RESOURCES / "prices.yaml"),
        "models": [str(folder / "training" / run / "model") for run in runs],
        "benchmarks": [str(folder / "training" / run / "benchmark.tsv") for run in runs],
        "manifest": str(folder / "corpus/manifest.json"),
        "notes": [str(folder / f"corpus/notes/{split}.parquet") for split in splits],
        "labels": [str(folder / f"corpus/labels/{split}.parquet") for split in splits],
        "allocations": [str(folder / "paper/allocation.parquet")],
        "code_sets": [str(folder / "paper/code_sets.parquet")],
        "assessments": [str(folder / "paper/plausibility.parquet")],
        "synthetic_notes": [str(folder / "paper/notes.parquet")],
        "synthetic_labels": [str(folder / "paper/labels.parquet")],
        "manifests": [str(folder / "paper/manifest.json")],
        "qualities": [str(folder / "paper/quality.parquet")],
    }
    for name in FIGURES:
        paths[name] = str(folder / f"figures/{name}.svg")
    for name, svg in _figures(tuple(train_sets), tuple(seeds)).items():
        write_text(svg, paths[name])
    return paths


def read(paths, recipes=("paper",), assessed=("paper",)):
    """Read what :func:`write_run` wrote, or of fewer recipes."""
    runs = ["/".join(Path(path).parts[-4:-1]) for path in paths["models"]]
    return read_sources(paths, recipes, recipes, assessed, runs, {})
