"""Rule `extract_taxonomy`: every node of the corpus's code systems, with title and place."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.terminology.taxonomy import CODE_SYSTEMS_OF, extract_taxonomy


def main(snakemake):
    codes = extract_taxonomy(CODE_SYSTEMS_OF[snakemake.params.adapter], snakemake.input.ranges)
    write_table(codes, snakemake.output.codes, "terminology/codes")
    print(codes.group_by("version", "title_source").len().sort("version", "title_source"))


if __name__ == "__main__":
    run(main, snakemake)
