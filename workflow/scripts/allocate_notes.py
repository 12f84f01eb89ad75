"""Rule `allocate_notes`: how many notes each anchor gets."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.plan.allocation import allocate, summary


def main(snakemake):
    tiers = read_table(snakemake.input.tiers, "plan/tiers")
    allocation = allocate(tiers, **snakemake.params.allocation)
    print(summary(allocation))
    write_table(allocation, snakemake.output.allocation, "plan/allocation")


if __name__ == "__main__":
    run(main, snakemake)
