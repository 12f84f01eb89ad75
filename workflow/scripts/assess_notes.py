"""Rule `assess_notes`: what a recipe's notes are like beside real ones."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.generation.quality.assessment import assess_files
from longtail_icd.generation.quality.measures import summary


def main(snakemake):
    quality = assess_files(snakemake.input, **snakemake.params.sample)
    write_table(quality, snakemake.output.quality, "generation/quality")
    print(summary(quality))


if __name__ == "__main__":
    run(main, snakemake)
