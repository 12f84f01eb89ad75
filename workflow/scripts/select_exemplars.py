"""Rule `select_exemplars`: which real train notes each prompt may show, and what of them."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, scan_table, write_table
from longtail_icd.plan.exemplars import rank_exemplars, select_exemplars, summary


def main(snakemake):
    inputs = snakemake.input
    method, settings = snakemake.params.exemplars["method"], dict(snakemake.params.exemplars)
    code_sets = read_table(inputs.code_sets, "plan/code_sets")
    if settings.pop("method") == "ranked":
        exemplars = rank_exemplars(
            code_sets,
            read_table(inputs.labels, "corpus/labels"),
            scan_table(inputs.notes, "corpus/notes"),
            read_table(inputs.tiers, "plan/tiers"),
            read_table(inputs.taxonomy, "terminology/codes"),
            read_table(inputs.synonyms, "terminology/synonyms"),
            **settings,
        )
    else:
        exemplars = select_exemplars(code_sets, method)
    print(summary(exemplars))
    write_table(exemplars, snakemake.output.exemplars, "plan/exemplars")


if __name__ == "__main__":
    run(main, snakemake)
