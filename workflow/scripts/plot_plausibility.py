"""Rule `plot_plausibility`: how like real code sets each recipe's are."""

from longtail_icd.common.script import run
from longtail_icd.report.plausibility import plot_plausibility
from longtail_icd.report.sources import read_by_recipe


def main(snakemake):
    assessed = read_by_recipe(
        snakemake.input.plausibility, snakemake.params.recipes, "plan/plausibility"
    )
    plot_plausibility(assessed, snakemake.output.figure)


if __name__ == "__main__":
    run(main, snakemake)
