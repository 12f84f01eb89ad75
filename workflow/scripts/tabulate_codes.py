"""Rule `tabulate_codes`: every code's test results by model and train set."""

import polars as pl
from longtail_icd.common.files import read_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.evaluation.scores import read_scores
from longtail_icd.report.codes import average_seeds, describe_codes, score_codes


def main(snakemake):
    source = snakemake.input
    labels = read_table(source.labels, "corpus/labels")
    tiers = read_table(source.tiers, "plan/tiers")
    taxonomy = read_table(source.taxonomy, "terminology/codes")
    parts = []
    for name, path, threshold in zip(
        snakemake.params.runs, source.scores, source.thresholds, strict=True
    ):
        model, train_set, _ = name.split("/")
        scores = read_scores(path)
        described = describe_codes(scores.codes, tiers, taxonomy)
        cut = read_json(threshold)["logit_threshold"]
        names = {"model": model, "train_set": train_set}
        parts.append(score_codes(scores, cut, labels, described, names))
    write_table(average_seeds(pl.concat(parts)), snakemake.output.codes, "report/codes")


if __name__ == "__main__":
    run(main, snakemake)
