"""Rule `plot_allocation`: notes by tier before and after the plans, and what companions add."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.report.allocation import plot_allocation
from longtail_icd.report.sources import read_planned


def main(snakemake):
    params = snakemake.params
    mentions = read_planned(snakemake.input.code_sets, params.recipes)
    tiers = read_table(snakemake.input.tiers, "plan/tiers")
    plot_allocation(tiers, mentions, params.tiers, snakemake.output.figure)


if __name__ == "__main__":
    run(main, snakemake)
