"""Benchmark of the plan stage on a simulated hospital: every rule's script, one after another.

`--scale 1` is the size of MIMIC-III with the paper's allocation, `--scale 0.1` a tenth of it. The
hospital, its corpus and its terminology are made once and kept; their time does not count. Each
rule runs as Snakemake runs it, reading and writing its tables, in a process of its own.

Two yardsticks. Pairs of codes are counted by a Counter over combinations. The texts are cut into
words and indexed by bm25s alone, all in memory, and asked for every anchor. Both must agree with
ours.
"""

import argparse
import math
import runpy
import sys
import tempfile
from collections import Counter
from functools import partial
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

from hospital import HOSPITALS, ROOT, SCRIPTS, configuration, tables
from measure import measured, report, versus

ADMISSIONS = 52_722
# The rules in the order in which they run: once, and once for each recipe.
SHARED = ["mine_cooccurrence", "stratify_codes", "find_conflicts"]
OF_RECIPE = ["allocate_notes", "build_code_sets", "select_exemplars"]
# Their tables in the folder of the plan, by the name that the rules use.
PLAN = ["cooccurrence", "group_cooccurrence", "tiers", "demographics", "conflicts"]
OF_RECIPE_TABLES = ["allocation", "code_sets", "exemplars"]
INPUTS = {
    "labels": "corpus/labels/train",
    "notes": "corpus/notes/train",
    "corpus_codes": "corpus/codes",
    "taxonomy": "terminology/codes",
    "synonyms": "terminology/synonyms",
    "excludes": "terminology/excludes",
}
# Shown with the paper's code sets: what a prompt without whole notes costs.
RANKED = {
    "method": "ranked",
    "count": 2,
    "max_uses": 8,
    "text_weight": 0.3,
    "excerpt_words": 150,
    "seed": 1,
}


class Files(dict):
    """Named files as Snakemake offers them: as attributes and by ``items``."""

    __getattr__ = dict.__getitem__


def run_rule(rule, files, params):
    """Run a rule's script; ``files`` are its inputs and outputs."""
    job = SimpleNamespace(
        rule=rule,
        input=Files(files),
        output=Files(files),
        params=SimpleNamespace(**params),
        log=[Path(files["tiers"]).with_name(f"{rule}.log")],
    )
    runpy.run_path(str(SCRIPTS / f"{rule}.py"), {"snakemake": job}, "__main__")


def recipes(config):
    """Return the recipes to plan: those that draw code sets, and ranked exemplars with `paper`."""
    drawn = {
        name: one
        for name, one in config["recipes"].items()
        if one["code_sets"]["strategy"] != "anchor"
    }
    return {**drawn, "paper_ranked": {**drawn["paper"], "exemplars": RANKED}}


def shared_rules(results, folder, config):
    """Return the files and the settings of the rules that every recipe shares."""
    shared = {name: str(results / f"{path}.parquet") for name, path in INPUTS.items()}
    shared |= {name: str(folder / f"{name}.parquet") for name in PLAN}
    shared["bounds"] = str(ROOT / "resources" / "demographic_bounds.csv")
    settings = {
        "label_space": config["corpus"]["label_space"],
        "kinds": config["corpus"]["kinds"],
        "tiers": config["tiers"],
    }
    return shared, settings


def plan(results, folder, config):
    """Run every rule; return the figures of each, by `recipe.rule` where it is a recipe's."""
    shared, settings = shared_rules(results, folder, config)
    figures = {}
    for rule in SHARED:
        _, figures[rule] = measured(partial(run_rule, rule, shared, settings))
    for name, recipe in recipes(config).items():
        files = shared | {
            table: str(folder / name / f"{table}.parquet") for table in OF_RECIPE_TABLES
        }
        for rule in OF_RECIPE:
            _, figures[f"{name}.{rule}"] = measured(partial(run_rule, rule, files, recipe))
    return figures


def sizes(results, folder):
    """Return how much there was to plan."""
    import polars as pl  # noqa: PLC0415

    def rows(path):
        return pl.scan_parquet(path).select(pl.len()).collect().item()

    return {
        "notes": rows(results / "corpus/notes/train.parquet"),
        "labels": rows(results / "corpus/labels/train.parquet"),
        "codes": rows(folder / "tiers.parquet"),
        "pairs": rows(folder / "cooccurrence.parquet"),
        "requests": sum(rows(path) for path in folder.glob("*/code_sets.parquet")),
    }


def pairs_ours(folder):
    import polars as pl  # noqa: PLC0415

    pairs = pl.read_parquet(folder / "cooccurrence.parquet")
    return len(pairs), pairs["notes"].sum()


def pairs_plain(results, folder):
    import polars as pl  # noqa: PLC0415

    labels = pl.read_parquet(results / f"{INPUTS['labels']}.parquet", columns=["note_id", "code"])
    notes = labels.group_by("note_id").agg("code")["code"].to_list()
    single, both = Counter(), Counter()
    for codes in notes:
        single.update(codes)
        both.update(combinations(sorted(codes), 2))
    rows = []
    for (a, b), count in sorted(both.items()):
        expected = single[a] * single[b] / len(notes)
        information = math.log((count + 0.5) / (expected + 0.5))
        surprise = -math.log(count / len(notes))
        limit = len(notes) / (len(notes) + 0.5)
        rows.append((a, b, count, information / surprise if surprise else limit))
    pairs = pl.DataFrame(rows, schema=["code_a", "code_b", "notes", "npmi"], orient="row")
    pairs.write_parquet(folder / "plain.parquet")
    return len(pairs), pairs["notes"].sum()


def _queries(results, folder):
    """Return the words of the anchors' wordings, by anchor, and all known words."""
    import polars as pl  # noqa: PLC0415
    from longtail_icd.plan.exemplars import wordings_of  # noqa: PLC0415

    anchors = pl.read_parquet(folder / "paper/allocation.parquet").select("code")
    taxonomy = pl.read_parquet(results / f"{INPUTS['taxonomy']}.parquet")
    synonyms = pl.read_parquet(results / f"{INPUTS['synonyms']}.parquet")
    return wordings_of(taxonomy.join(anchors, on="code", how="semi"), synonyms)


def texts_ours(results, folder):
    import polars as pl  # noqa: PLC0415
    from longtail_icd.plan.retrieval import TextScores, index_notes  # noqa: PLC0415

    wordings = _queries(results, folder)
    notes = pl.scan_parquet(results / f"{INPUTS['notes']}.parquet")
    scores = TextScores(index_notes(notes, wordings.vocabulary))
    return round(sum(float(scores.of(words).sum()) for words in wordings.of_code.values()))


def texts_plain(results, folder):
    import bm25s  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415

    wordings = _queries(results, folder)
    texts = pl.read_parquet(results / f"{INPUTS['notes']}.parquet")["text"].to_list()
    tokens = bm25s.tokenize(
        texts, stopwords=None, token_pattern=r"[^\W_]+", show_progress=False, return_ids=False
    )
    index = bm25s.BM25()
    index.index(tokens, show_progress=False)
    known = Counter(word for words in tokens for word in set(words))
    total = 0.0
    for numbers in wordings.of_code.values():
        words = [wordings.vocabulary[number] for number in numbers.tolist()]
        telling = [word for word in words if 0 < known[word] <= len(texts) / 2]
        if telling:
            total += float(index.get_scores(telling).sum())
    return round(total)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.01, help="1: MIMIC-III's size")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, help="of what comes before the plan")
    parser.add_argument("--folder", type=Path, default=HOSPITALS)
    arguments = parser.parse_args()
    admissions = round(arguments.scale * ADMISSIONS)
    results = tables(admissions, arguments.seed, arguments.folder, arguments.processes)
    config = configuration("mimic3_full")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        figures = plan(results, folder, config)
        counts, _ = measured(partial(sizes, results, folder))
        found, _ = measured(partial(pairs_ours, folder))
        expected, pairs = measured(partial(pairs_plain, results, folder))
        score, ours = measured(partial(texts_ours, results, folder))
        expected_score, texts = measured(partial(texts_plain, results, folder))
    if found != expected:
        sys.exit(f"benchmark: ours counts pairs {found}, the yardstick {expected}")
    if abs(score - expected_score) > 1e-3 * expected_score:
        sys.exit(f"benchmark: our scores sum to {score}, the yardstick's to {expected_score}")
    whole = sum(one["wall_s"] for one in figures.values())
    report(
        stage="plan",
        wall_s=round(whole, 2),
        cpu_s=round(sum(one["cpu_s"] for one in figures.values()), 2),
        peak_rss_mb=max(one["peak_rss_mb"] for one in figures.values()),
        scale=arguments.scale,
        **counts,
        requests_per_s=round(counts["requests"] / whole),
        **versus(figures["mine_cooccurrence"], pairs),
        **{f"text_{name}": value for name, value in versus(ours, texts).items()},
        steps=figures,
    )


if __name__ == "__main__":
    main()
