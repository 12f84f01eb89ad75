"""Rule `extract_excludes`: nodes that the classification forbids to use together."""

from longtail_icd.common.codes import code_systems
from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.terminology.excludes import extract_excludes


def main(snakemake):
    excludes = extract_excludes(code_systems(snakemake.params.adapter, snakemake.params.edition))
    write_table(excludes, snakemake.output.excludes, "terminology/excludes")


if __name__ == "__main__":
    run(main, snakemake)
