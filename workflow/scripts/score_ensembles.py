"""Rule `score_ensembles`: what each train set's seeds reach together, with intervals."""

import polars as pl
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, scan_table, write_table
from longtail_icd.evaluation.averages import average
from longtail_icd.evaluation.compare import read_run
from longtail_icd.evaluation.ensemble import mean_scores
from longtail_icd.evaluation.gold import gold_labels, gold_standard
from longtail_icd.evaluation.resampling import patient_weights
from longtail_icd.evaluation.scores import read_scores
from longtail_icd.training.selection import choose_threshold


def main(snakemake):
    source, params = snakemake.input, snakemake.params
    options, cuts = params.evaluation["bootstrap"], params.evaluation["precision_at"]
    dev_labels = read_table(source.dev_labels, "corpus/labels")
    test_labels = read_table(source.test_labels, "corpus/labels")
    tiers = read_table(source.tiers, "plan/tiers")
    notes = scan_table(source.notes, "corpus/notes").select("note_id", "patient_id").collect()
    weights = patient_weights(notes["patient_id"].n_unique(), options["samples"], options["seed"])
    files = {
        "dev": dict(zip(params.runs, source.dev_scores, strict=True)),
        "test": dict(zip(params.runs, source.test_scores, strict=True)),
    }

    def together(split, model, train_set):
        seeds = [f"{model}/{train_set}/seed{seed}" for seed in params.seeds]
        return mean_scores({name: read_scores(files[split][name]) for name in seeds})

    tables = []
    for model in params.models:
        for train_set in params.train_sets:
            dev, test = (together(split, model, train_set) for split in ("dev", "test"))
            dev_gold, _ = gold_labels(dev_labels, dev)
            cut, _ = choose_threshold(
                params.evaluation["threshold"], dev.logits, dev_gold.toarray()
            )
            gold = gold_standard(test_labels, notes, tiers, test)
            ensemble = read_run(f"{model}/{train_set}", test, cut, gold, weights, cuts)
            names = {"model": model, "train_set": train_set}
            reached = average([ensemble], options, names)
            tables.append(reached.with_columns(n_seeds=pl.lit(len(params.seeds), pl.Int64)))
    write_table(pl.concat(tables), snakemake.output.ensembles, "evaluation/ensembles")


if __name__ == "__main__":
    run(main, snakemake)
