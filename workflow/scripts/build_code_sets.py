"""Rule `build_code_sets`: the code set of every note to write."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.plan.code_sets import build_code_sets, summary

MINED = ("cooccurrence", "group_cooccurrence", "conflicts")


def main(snakemake):
    mined = {
        name: read_table(path, f"plan/{name}")
        for name, path in snakemake.input.items()
        if name in MINED
    }
    code_sets = build_code_sets(
        read_table(snakemake.input.labels, "corpus/labels"),
        read_table(snakemake.input.tiers, "plan/tiers"),
        read_table(snakemake.input.taxonomy, "terminology/codes"),
        read_table(snakemake.input.allocation, "plan/allocation"),
        **snakemake.params.code_sets,
        **mined,
    )
    print(summary(code_sets))
    write_table(code_sets, snakemake.output.code_sets, "plan/code_sets")


if __name__ == "__main__":
    run(main, snakemake)
