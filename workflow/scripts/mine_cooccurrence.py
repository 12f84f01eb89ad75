"""Rule `mine_cooccurrence`: which codes stand together in the train notes."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.plan.cooccurrence import mine_cooccurrence


def main(snakemake):
    pairs = mine_cooccurrence(read_table(snakemake.input.labels, "corpus/labels"))
    print(f"{len(pairs)} pairs of codes share a train note")
    write_table(pairs, snakemake.output.cooccurrence, "plan/cooccurrence")


if __name__ == "__main__":
    run(main, snakemake)
