"""The tables of a finished run, made by hand, and its settings: what the report's rules read."""

import polars as pl
from longtail_icd.common.config import TRAIN_SET_DEFAULTS
from longtail_icd.common.tables import TABLES
from longtail_icd.report.glossary import PLAUSIBILITY, QUALITY

TIERS = ("head", "medium", "tail", "few_shot", "zero_shot")
EDGES = {"head": 100, "medium": 30, "tail": 10}
FREQUENCIES = [140, 40, 20, 10, 5, 1, 0]
MANIFEST = {
    "rows": {"without_codes": 1234},
    "files": {"notes": {"name": "NOTES.csv", "bytes": 4321, "sha256": "c0ffee"}},
    "published": None,
}


def settings(train_sets=("original", "extended"), seeds=(1,), path=None):
    """The configuration's blocks, as `used_settings` of common.smk gives them."""
    return {
        "corpus": {
            "name": "sample",
            "path": path,
            "label_space": "corpus",
            "label_file": None,
            "adapter": "mimic3",
            "split": {"ids": None, "method": "patient"},
            "simulation": {"documents": 6, "seed": 1, "overlap": 0.6},
        },
        "terminology": {"headings": None, "d_icd": None, "index": None, "umls": None},
        "tiers": EDGES,
        "recipes": {"paper": {"writer": "offline", "prompt": {"template": "paper"}}},
        "writers": {"offline": {"backend": "offline"}},
        "train_sets": {
            name: TRAIN_SET_DEFAULTS
            | {
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
        "evaluation": {
            "threshold": "micro_f1",
            "bootstrap": {"samples": 1000, "confidence": 0.95, "seed": 1},
        },
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


def averages_table(train_sets, n_seeds):
    """The more notes, the better; MAP, and the zero-shot codes of PLM-ICD, are missing."""
    rows = [
        {
            "model": model,
            "train_set": train_set,
            "tier": tier,
            "metric": metric,
            "value": 0.2 + 0.1 * place,
            "ci_low": 0.15,
            "ci_high": 0.45,
            "ci_method": "patient bootstrap, percentile",
            "n_seeds": n_seeds,
            "ci_seeds": "conditional",
            "support": 10,
        }
        for model in ("gki_icd", "plm_icd")
        for place, train_set in enumerate(train_sets)
        for tier in ("all", *TIERS)
        for metric in ("micro_f1", "macro_f1_all_codes")
        if (model, tier) != ("plm_icd", "zero_shot")
    ]
    return pl.DataFrame(rows, schema=TABLES["evaluation/averages"].columns)


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
        "ci_seeds": "conditional",
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


def codes_table(train_sets):
    """Every code has two test labels, one found by no model; the first two are a family."""
    rows = [
        (
            *(model, train_set, code, f"title of {code}"),
            *("icd9cm 00x" if place < 2 else code, tier, n_train, 2),
            *(0.5 + 0.1 * number, 1.0, 0.5 if place == 0 else 0.0),
        )
        for model in ("gki_icd", "plm_icd")
        for number, train_set in enumerate(train_sets)
        for place, (code, n_train, tier) in enumerate(
            tiers_table().select("code", "n_train", "tier").iter_rows()
        )
    ]
    return pl.DataFrame(rows, schema=TABLES["report/codes"].columns, orient="row")


def jobs_table():
    """One rule, by a benchmark file alone."""
    row = {"source": "benchmark", "rule": "prepare_corpus", "attempts": 1}
    row |= {"hours": 0.5, "cpu_hours": 0.25, "memory_used": 800.0}
    return pl.DataFrame([row], schema=TABLES["report/jobs"].columns)


def runs_of(train_sets, seeds):
    return [
        f"{model}/{train_set}/seed{seed}"
        for model in ("gki_icd", "plm_icd")
        for train_set in train_sets
        for seed in seeds
    ]


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


def history(rows=((0.5, 2.0), (1.0, 1.0), (1.5, 0.5), (2.0, 0.3))):
    losses = [(epoch, int(epoch * 10), "loss", value) for epoch, value in rows]
    maps = [(float(epoch), epoch * 10, "eval_map", 0.2 * epoch) for epoch in (1, 2)]
    return pl.DataFrame(losses + maps, schema=TABLES["training/history"].columns, orient="row")
