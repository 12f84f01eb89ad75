"""Rule `select_exemplars`: which real train notes each prompt may show."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.plan.exemplars import select_exemplars


def main(snakemake):
    code_sets = read_table(snakemake.input.code_sets, "plan/code_sets")
    exemplars = select_exemplars(code_sets, **snakemake.params.exemplars)
    write_table(exemplars, snakemake.output.exemplars, "plan/exemplars")


if __name__ == "__main__":
    run(main, snakemake)
