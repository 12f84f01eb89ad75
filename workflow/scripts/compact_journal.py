"""Rule `compact_journal`: the journal in fewer and smaller files."""

from longtail_icd.common.script import run
from longtail_icd.generation.journal.compaction import compact


def main(snakemake):
    answers, files = compact(snakemake.params.journal)
    print(f"{answers} answers of {files} finished files packed")


if __name__ == "__main__":
    run(main, snakemake)
