"""Rule `compare_runs`: all runs' metrics in one table, and each comparison with its interval."""

import polars as pl
from longtail_icd.common.files import read_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import empty_table, read_table, scan_table, write_table
from longtail_icd.evaluation.compare import check_as_scored, compare, read_run
from longtail_icd.evaluation.gold import gold_standard
from longtail_icd.evaluation.resampling import patient_weights
from longtail_icd.evaluation.scores import read_scores


def read_runs(snakemake, metrics):
    """Return every run by its name, model/train_set/seedN."""
    source, settings = snakemake.input, snakemake.params.evaluation
    options = settings["bootstrap"]
    labels = read_table(source.labels, "corpus/labels")
    notes = scan_table(source.notes, "corpus/notes").select("note_id", "patient_id").collect()
    tiers = read_table(source.tiers, "plan/tiers")
    weights = patient_weights(notes["patient_id"].n_unique(), options["samples"], options["seed"])
    runs = {}
    for name, scores_file, threshold, scored in zip(
        snakemake.params.runs, source.scores, source.thresholds, metrics, strict=True
    ):
        scores = read_scores(scores_file)
        gold = gold_standard(labels, notes, tiers, scores)
        check_as_scored(name, scored, gold)
        cut = read_json(threshold)["logit_threshold"]
        runs[name] = read_run(name, scores, cut, gold, weights, settings["precision_at"])
    return runs


def main(snakemake):
    source, params, output = snakemake.input, snakemake.params, snakemake.output
    metrics = [read_table(path, "evaluation/metrics") for path in source.metrics]
    write_table(pl.concat(metrics), output.metrics, "evaluation/metrics")
    breakdown = [read_table(path, "evaluation/breakdown") for path in source.breakdowns]
    write_table(pl.concat(breakdown), output.breakdown, "evaluation/breakdown")

    runs = read_runs(snakemake, metrics)
    comparisons = [empty_table("evaluation/comparisons")]
    for pair in params.comparisons:
        for model in params.models:
            sides = [
                [runs[f"{model}/{pair[side]}/seed{seed}"] for seed in params.seeds]
                for side in ("baseline", "against")
            ]
            names = {**pair, "model": model}
            comparisons.append(compare(*sides, params.evaluation["bootstrap"], names))
    write_table(pl.concat(comparisons), output.comparisons, "evaluation/comparisons")


if __name__ == "__main__":
    run(main, snakemake)
