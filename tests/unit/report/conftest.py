"""A finished run in hand-made tables: what the rules of the report read."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from longtail_icd.common.files import write_text
from longtail_icd.common.tables import TABLES, write_table
from longtail_icd.report.allocation import planned_mentions, plot_allocation
from longtail_icd.report.code_frequencies import plot_code_frequencies
from longtail_icd.report.f1_by_tier import plot_f1_by_tier
from longtail_icd.report.glossary import PLAUSIBILITY, QUALITY
from longtail_icd.report.learning_curves import plot_learning_curves
from longtail_icd.report.plausibility import plot_plausibility
from longtail_icd.report.quality import plot_quality
from longtail_icd.report.sources import FIGURES

TIERS = ("head", "medium", "tail", "few_shot", "zero_shot")
EDGES = {"head": 100, "medium": 30, "tail": 10}
FREQUENCIES = [140, 40, 20, 10, 5, 1, 0]
SECRET_TEXT = "Mrs Example was admitted with a very private complaint"
SECRET_ID = "note-4711"


def settings(train_sets=("original", "extended"), seeds=(1,), path=None):
    """The configuration's blocks, as `used_settings` of common.smk gives them."""
    return {
        "corpus": {
            "name": "sample",
            "path": path,
            "label_space": "corpus",
            "label_file": None,
            "split": {"ids": None},
            "simulation": {"documents": 6, "seed": 1, "overlap": 0.6},
        },
        "terminology": {"headings": None, "d_icd": None, "index": None, "umls": None},
        "tiers": EDGES,
        "recipes": {"paper": {"writer": "offline"}},
        "writers": {"offline": {"backend": "offline"}},
        "train_sets": {
            name: {
                "recipes": [] if name == "original" else ["paper"],
                "permute_anchors": name == "permuted",
            }
            for name in train_sets
        },
        "comparisons": [
            {"baseline": "original", "against": name} for name in train_sets if name != "original"
        ],
        "encoder": {"name": None},
        "models": {"plm_icd": {}, "gki_icd": {}},
        "seeds": list(seeds),
        "evaluation": {"bootstrap": {"samples": 1000, "confidence": 0.95, "seed": 1}},
    }


def tiers_table():
    names = ["head", "medium", "tail", "tail", "few_shot", "few_shot", "zero_shot"]
    return pl.DataFrame(
        {
            "version": "icd9cm",
            "code": [f"{number:03d}.0" for number in range(1, 8)],
            "kind": "diagnosis",
            "n_train": FREQUENCIES,
            "tier": names,
        }
    )


def synonyms_table():
    """The first code has five synonyms, the second two from two sources, the third one."""
    words = [("001.0", "short_title")] * 5
    words += [("002.0", "short_title"), ("002.0", "inclusion_term"), ("003.0", "inclusion_term")]
    rows = [("icd9cm", code, f"word {n}", source) for n, (code, source) in enumerate(words)]
    return pl.DataFrame(rows, schema=TABLES["terminology/synonyms"].columns, orient="row")


def metrics_table(train_sets, seeds):
    values = {
        "micro_f1": 0.5,
        "macro_f1_harmonic": 0.21,
        "macro_f1_all_codes": 0.12,
        "macro_f1_test_codes": 0.25,
        "precision_at_8": 0.4,
    }
    rows = [
        {
            "corpus": "sample",
            "model": model,
            "train_set": train_set,
            "seed": seed,
            "split": "test",
            "threshold_kind": "micro_f1",
            "tier": tier,
            "metric": metric,
            "value": value + 0.01 * place + 0.001 * seed,
            "support": 10,
            "ci_low": value - 0.05 if metric == "micro_f1" else None,
            "ci_high": value + 0.05 if metric == "micro_f1" else None,
            "ci_method": "patient bootstrap, percentile" if metric == "micro_f1" else None,
        }
        for model in ("gki_icd", "plm_icd")
        for place, train_set in enumerate(train_sets)
        for seed in seeds
        for tier in ("all", *TIERS)
        for metric, value in values.items()
    ]
    return pl.DataFrame(rows, schema=TABLES["evaluation/metrics"].columns)


def comparison_row(against, model, tier, delta, low, high, n_seeds=1):
    return {
        "baseline": "original",
        "against": against,
        "model": model,
        "tier": tier,
        "metric": "micro_f1",
        "baseline_value": 0.2,
        "against_value": 0.2 + delta,
        "delta": delta,
        "ci_low": low,
        "ci_high": high,
        "p_value": 0.002,
        "p_adjusted": 0.012,
        "n_seeds": n_seeds,
    }


def comparisons_table(train_sets, n_seeds):
    """GKI-ICD gains with an interval above 0; PLM-ICD's and every control's holds 0."""
    rows = []
    for against in train_sets[1:]:
        for model in ("gki_icd", "plm_icd"):
            gains = model == "gki_icd" and against != "permuted"
            for tier in ("all", *TIERS):
                moved = (0.0421, 0.011, 0.075) if gains else (-0.004, -0.02, 0.01)
                moved = (-0.002, -0.006, 0.003) if tier == "all" else moved
                rows.append(comparison_row(against, model, tier, *moved, n_seeds=n_seeds))
    return pl.DataFrame(rows, schema=TABLES["evaluation/comparisons"].columns)


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
    (folder / "manifest.json").write_text(
        json.dumps({"rows": {"without_codes": 1234}, "published": None})
    )


def code_sets_table():
    """Four planned notes with one head code each as companion, and a reserve."""
    anchors = ["005.0", "005.0", "006.0", "007.0", "007.0"]
    rows = [
        (f"r{number}", anchor, ["001.0", anchor], "clone", None, "", number == 4)
        for number, anchor in enumerate(anchors)
    ]
    return pl.DataFrame(rows, schema=TABLES["plan/code_sets"].columns, orient="row")


def plausibility_table():
    """Every measure is 0.5 in the plan and 0.25 in train, but for what train has none of."""
    alone = ("auc", "auc_codes", "auc_features", "chapter_distance")
    rows = [
        (tier, measure, who, value, 4)
        for tier in ("all", "few_shot", "zero_shot")
        for measure in PLAUSIBILITY
        for who, value in (("planned", 0.5), ("train", 0.25))
        if who == "planned" or measure not in alone
    ]
    return pl.DataFrame(rows, schema=TABLES["plan/plausibility"].columns, orient="row")


def quality_table():
    """Every measure is 0.5 of synthetic notes and 0.25 of real ones, which have no exemplars."""
    whole = [(measure, None, "all") for measure in QUALITY]
    whole += [("section", "Chief Complaint", "all"), ("codes_worded", None, "few_shot")]
    rows = [
        (*one, who, value, None, None, 4)
        for one in whole
        for who, value in (("real", 0.25), ("synthetic", 0.5))
        if (one[0], who) != ("copied_exemplars", "real")
    ]
    rows.append(("codes_supported", "anchor", "few_shot", "synthetic", 0.75, 0.5, 1.0, 4))
    return pl.DataFrame(rows, schema=TABLES["generation/quality"].columns, orient="row")


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


def history(rows=((0.5, 2.0), (1.0, 1.0), (1.5, 0.5), (2.0, 0.3))):
    losses = [(epoch, int(epoch * 10), "loss", value) for epoch, value in rows]
    maps = [(float(epoch), epoch * 10, "eval_map", 0.2 * epoch) for epoch in (1, 2)]
    return pl.DataFrame(losses + maps, schema=TABLES["training/history"].columns, orient="row")


def draw_figures(folder, train_sets, seeds):
    """Draw the sample run's figures into ``folder``; return their texts by name."""
    bars, plan, likeness, curves, quality, losses = (folder / f"{name}.svg" for name in FIGURES)
    plot_f1_by_tier(metrics_table(train_sets, seeds), train_sets, EDGES, bars)
    planned = {"paper": planned_mentions(code_sets_table())}
    plot_allocation(tiers_table(), planned, EDGES, plan)
    plot_plausibility({"paper": plausibility_table()}, likeness)
    mentions = pl.DataFrame({"code": ["001.0", "005.0"], "anchor": [0, 2], "companion": [3, 0]})
    plot_code_frequencies(tiers_table(), {"paper": mentions}, EDGES, curves)
    plot_quality({"paper": quality_table()}, quality)
    histories = {
        f"{model}/{train_set}/seed{seed}": history()
        for model in ("gki_icd", "plm_icd")
        for train_set in train_sets
        for seed in seeds
    }
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
        "comparisons": ("evaluation/comparisons", comparisons_table(train_sets, len(seeds))),
        "tiers": ("plan/tiers", tiers_table()),
        "synonyms": ("terminology/synonyms", synonyms_table()),
    }
    for name, (table, frame) in tables.items():
        write_table(frame, folder / f"{name}.parquet", table)
    _corpus(folder / "corpus")
    (folder / "paper").mkdir()
    _generation(folder / "paper")
    splits = ("train", "dev", "test")
    paths = {
        **{name: str(folder / f"{name}.parquet") for name in tables},
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


@pytest.fixture
def sample_run(tmp_path):
    """Return a function that writes a finished run and returns its paths."""

    def write(**options):
        return write_run(tmp_path / "run", **options)

    return write
