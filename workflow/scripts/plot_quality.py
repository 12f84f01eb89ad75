"""Rule `plot_quality`: what each recipe's notes are like beside real ones."""

from longtail_icd.common.script import run
from longtail_icd.report.quality import plot_quality
from longtail_icd.report.sources import read_by_recipe


def main(snakemake):
    qualities = read_by_recipe(
        snakemake.input.qualities, snakemake.params.recipes, "generation/quality"
    )
    plot_quality(qualities, snakemake.output.figure)


if __name__ == "__main__":
    run(main, snakemake)
