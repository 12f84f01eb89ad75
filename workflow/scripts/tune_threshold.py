"""Rule `tune_threshold`: the one global threshold, the best on dev unless it is fixed."""

import math

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import write_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.evaluation.scores import gold_matrix, read_scores
from longtail_icd.training.selection import choose_threshold


def main(snakemake):
    scores = read_scores(snakemake.input.scores)
    gold, _ = gold_matrix(read_table(snakemake.input.labels, "corpus/labels"), scores)
    if not gold.any():
        raise UserError(
            "the dev split has no label inside the label space; enlarge corpus.split.dev"
        )
    kind = snakemake.params.kind
    cut, micro_f1 = choose_threshold(kind, scores.logits, gold)
    write_json(
        {
            "kind": kind,
            "logit_threshold": cut,
            "threshold": 1 / (1 + math.exp(-cut)),
            "dev_micro_f1": micro_f1,
        },
        snakemake.output.threshold,
    )


if __name__ == "__main__":
    run(main, snakemake)
