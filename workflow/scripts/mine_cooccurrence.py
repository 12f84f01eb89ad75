"""Rule `mine_cooccurrence`: which codes stand together in the train notes, singly and by group."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.plan.cooccurrence import mine_cooccurrence, summary
from longtail_icd.plan.group_cooccurrence import mine_group_cooccurrence


def main(snakemake):
    labels = read_table(snakemake.input.labels, "corpus/labels")
    pairs = mine_cooccurrence(labels)
    print(summary(pairs))
    write_table(pairs, snakemake.output.cooccurrence, "plan/cooccurrence")
    taxonomy = read_table(snakemake.input.taxonomy, "terminology/codes")
    groups = mine_group_cooccurrence(labels, taxonomy)
    print(f"{len(groups)} pairs of a group and a code")
    write_table(groups, snakemake.output.group_cooccurrence, "plan/group_cooccurrence")


if __name__ == "__main__":
    run(main, snakemake)
