"""Rule `tune_threshold`: the one global threshold, and its alternatives by tier and by code."""

import math

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import write_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.evaluation.gold import gold_labels
from longtail_icd.evaluation.scores import read_scores
from longtail_icd.evaluation.thresholds import tune_thresholds
from longtail_icd.training.selection import choose_threshold


def main(snakemake):
    source, params, output = snakemake.input, snakemake.params, snakemake.output
    scores = read_scores(source.scores)
    labels, _ = gold_labels(read_table(source.labels, "corpus/labels"), scores)
    if not labels.nnz:
        raise UserError(
            "the dev split has no label inside the label space; enlarge corpus.split.dev"
        )
    gold = labels.toarray()
    cut, micro_f1 = choose_threshold(params.kind, scores.logits, gold)
    tiers = read_table(source.tiers, "plan/tiers")
    table = tune_thresholds(scores.logits, gold, scores.codes, tiers, cut, params.prior)
    write_table(table, output.thresholds, "evaluation/thresholds")
    write_json(
        {
            "kind": params.kind,
            "logit_threshold": cut,
            "threshold": 1 / (1 + math.exp(-cut)),
            "dev_micro_f1": micro_f1,
        },
        output.threshold,
    )


if __name__ == "__main__":
    run(main, snakemake)
