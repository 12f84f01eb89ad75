"""Rule `plot_code_frequencies`: notes per code before and after the synthetic notes."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.report.code_frequencies import plot_code_frequencies, synthetic_mentions
from longtail_icd.report.sources import read_synthetic


def main(snakemake):
    source, params = snakemake.input, snakemake.params
    mentions = {
        recipe: synthetic_mentions(*read_synthetic(notes, labels))
        for recipe, notes, labels in zip(params.recipes, source.notes, source.labels, strict=True)
    }
    tiers = read_table(source.tiers, "plan/tiers")
    plot_code_frequencies(tiers, mentions, params.tiers, snakemake.output.figure)


if __name__ == "__main__":
    run(main, snakemake)
