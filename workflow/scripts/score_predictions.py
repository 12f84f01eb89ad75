"""Rule `score_predictions`: every metric of one run on the test split."""

from longtail_icd.common.files import read_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.evaluation.score import score_run
from longtail_icd.evaluation.scores import read_scores


def main(snakemake):
    source, wildcards = snakemake.input, snakemake.wildcards
    threshold = read_json(source.threshold)
    table = score_run(
        read_scores(source.scores),
        read_table(source.labels, "corpus/labels"),
        read_table(source.notes, "corpus/notes"),
        read_table(source.tiers, "plan/tiers"),
        threshold["logit_threshold"],
        snakemake.params.evaluation,
        {
            "corpus": snakemake.params.corpus,
            "model": wildcards.model,
            "train_set": wildcards.train_set,
            "seed": int(wildcards.seed),
            "split": "test",
            "threshold_kind": threshold["kind"],
        },
    )
    write_table(table, snakemake.output.metrics, "evaluation/metrics")


if __name__ == "__main__":
    run(main, snakemake)
