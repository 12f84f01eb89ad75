"""Rule `score_predictions`: every metric of one run on the test split."""

from longtail_icd.common.files import read_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, scan_table, write_table
from longtail_icd.common.tiers import TIERS
from longtail_icd.evaluation.evaluate import evaluate
from longtail_icd.evaluation.gold import gold_standard
from longtail_icd.evaluation.groups import code_groups
from longtail_icd.evaluation.score import (
    breakdown_table,
    codes_table,
    metrics_table,
    threshold_alternatives,
)
from longtail_icd.evaluation.scores import read_scores


def main(snakemake):
    source, output, wildcards = snakemake.input, snakemake.output, snakemake.wildcards
    settings = snakemake.params.evaluation
    scores = read_scores(source.scores)
    labels = read_table(source.labels, "corpus/labels")
    notes = scan_table(source.notes, "corpus/notes").select("note_id", "patient_id").collect()
    tiers = read_table(source.tiers, "plan/tiers")
    taxonomy = scan_table(source.taxonomy, "terminology/codes")
    chapters = taxonomy.select("version", "code", "chapter").collect()
    threshold = read_json(source.threshold)
    thresholds = read_table(source.thresholds, "evaluation/thresholds")
    about = {
        "corpus": snakemake.params.corpus,
        "model": wildcards.model,
        "train_set": wildcards.train_set,
        "seed": int(wildcards.seed),
        "split": "test",
        "threshold_kind": threshold["kind"],
    }

    gold = gold_standard(labels, notes, tiers, scores)
    evaluation = evaluate(
        scores.logits,
        gold.labels,
        threshold["logit_threshold"],
        settings["precision_at"],
        gold.tier,
        TIERS,
        int(gold.outside.sum()),
    )
    metrics = metrics_table(evaluation, gold, settings["bootstrap"], about)
    write_table(metrics, output.metrics, "evaluation/metrics")
    oracle = settings["oracle"]
    alternatives = threshold_alternatives(thresholds, scores.codes, evaluation, oracle)
    groups = code_groups(scores.codes, tiers, chapters)
    breakdown = breakdown_table(evaluation, gold, scores.logits, groups, alternatives, about)
    write_table(breakdown, output.breakdown, "evaluation/breakdown")
    codes = codes_table(evaluation, scores.codes, tiers)
    write_table(codes, output.codes, "evaluation/codes")


if __name__ == "__main__":
    run(main, snakemake)
