"""Rule `extract_excludes`: nodes that the classification forbids to use together."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.terminology.excludes import extract_excludes
from longtail_icd.terminology.taxonomy import CODE_SYSTEMS_OF


def main(snakemake):
    excludes = extract_excludes(CODE_SYSTEMS_OF[snakemake.params.adapter])
    write_table(excludes, snakemake.output.excludes, "terminology/excludes")


if __name__ == "__main__":
    run(main, snakemake)
