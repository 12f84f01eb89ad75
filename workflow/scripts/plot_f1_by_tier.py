"""Rule `plot_f1_by_tier`: pooled F1 by frequency tier, per model and train set."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.report.f1_by_tier import plot_f1_by_tier


def main(snakemake):
    metrics = read_table(snakemake.input.metrics, "evaluation/metrics")
    params = snakemake.params
    plot_f1_by_tier(metrics, params.train_sets, params.tiers, snakemake.output.figure)


if __name__ == "__main__":
    run(main, snakemake)
