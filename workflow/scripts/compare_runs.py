"""Rule `compare_runs`: all runs' metrics in one table, and each comparison with its interval."""

import polars as pl
from longtail_icd.common.files import read_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import empty_table, read_table, write_table
from longtail_icd.evaluation.compare import Run, compare
from longtail_icd.evaluation.scores import read_scores


def read_runs(snakemake):
    """Return every run's decisions by its name, model/train_set/seedN."""
    source = snakemake.input
    runs = {}
    for name, scores, threshold in zip(
        snakemake.params.runs, source.scores, source.thresholds, strict=True
    ):
        read = read_scores(scores)
        runs[name] = Run(read, read.logits >= read_json(threshold)["logit_threshold"])
    return runs


def main(snakemake):
    source, params = snakemake.input, snakemake.params
    tables = [read_table(path, "evaluation/metrics") for path in source.metrics]
    write_table(pl.concat(tables), snakemake.output.metrics, "evaluation/metrics")

    runs = read_runs(snakemake)
    labels = read_table(source.labels, "corpus/labels")
    notes = read_table(source.notes, "corpus/notes")
    tiers = read_table(source.tiers, "plan/tiers")
    comparisons = [empty_table("evaluation/comparisons")]
    for pair in params.comparisons:
        for model in params.models:
            sides = [
                [runs[f"{model}/{pair[side]}/seed{seed}"] for seed in params.seeds]
                for side in ("baseline", "against")
            ]
            names = {**pair, "model": model}
            comparisons.append(compare(*sides, labels, notes, tiers, params.bootstrap, names))
    write_table(pl.concat(comparisons), snakemake.output.comparisons, "evaluation/comparisons")


if __name__ == "__main__":
    run(main, snakemake)
