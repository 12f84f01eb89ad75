"""Rule `assess_code_sets`: how like real code sets a recipe's are."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.plan.plausibility import assess_code_sets, summary


def main(snakemake):
    plausibility = assess_code_sets(
        read_table(snakemake.input.code_sets, "plan/code_sets"),
        read_table(snakemake.input.labels, "corpus/labels"),
        read_table(snakemake.input.tiers, "plan/tiers"),
        read_table(snakemake.input.taxonomy, "terminology/codes"),
        read_table(snakemake.input.cooccurrence, "plan/cooccurrence"),
        read_table(snakemake.input.conflicts, "plan/conflicts"),
    )
    print(summary(plausibility))
    write_table(plausibility, snakemake.output.plausibility, "plan/plausibility")


if __name__ == "__main__":
    run(main, snakemake)
