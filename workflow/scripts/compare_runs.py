"""Rule `compare_runs`: all runs in one table; train sets and comparisons with intervals."""

import polars as pl
from longtail_icd.common.files import read_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import empty_table, read_table, scan_table, write_table
from longtail_icd.evaluation.averages import average
from longtail_icd.evaluation.changes import changed_labels
from longtail_icd.evaluation.compare import check_as_scored, compare, read_run
from longtail_icd.evaluation.gold import gold_standard
from longtail_icd.evaluation.resampling import patient_weights
from longtail_icd.evaluation.scores import read_scores


def read_runs(snakemake, metrics, labels, tiers):
    """Return every run by its name, model/train_set/seedN."""
    source, settings = snakemake.input, snakemake.params.evaluation
    options = settings["bootstrap"]
    notes = scan_table(source.notes, "corpus/notes").select("note_id", "patient_id").collect()
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

    labels = read_table(source.labels, "corpus/labels")
    tiers = read_table(source.tiers, "plan/tiers")
    runs, options = read_runs(snakemake, metrics, labels, tiers), params.evaluation["bootstrap"]

    def of_seeds(model, train_set):
        return [runs[f"{model}/{train_set}/seed{seed}"] for seed in params.seeds]

    averages, comparisons = [], [empty_table("evaluation/comparisons")]
    changes = [empty_table("evaluation/changed_labels")]
    for model in params.models:
        for train_set in params.train_sets:
            names = {"model": model, "train_set": train_set}
            averages.append(average(of_seeds(model, train_set), options, names))
        for pair in params.comparisons:
            names = {**pair, "model": model}
            sides = [of_seeds(model, pair[side]) for side in ("baseline", "against")]
            comparisons.append(compare(*sides, options, names))
            given = ([run.given for run in side] for side in sides)
            changes.append(changed_labels(*given, labels, tiers, names))
    write_table(pl.concat(averages), output.averages, "evaluation/averages")
    write_table(pl.concat(comparisons), output.comparisons, "evaluation/comparisons")
    write_table(pl.concat(changes), output.changes, "evaluation/changed_labels")


if __name__ == "__main__":
    run(main, snakemake)
