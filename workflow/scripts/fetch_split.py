"""Rule `fetch_split`: download the id files of a published split."""

from longtail_icd.common.script import run
from longtail_icd.corpus.fetch_split import fetch_split, read_addresses


def main(snakemake):
    settings = snakemake.params.download
    addresses = read_addresses(snakemake.input.published, settings["split"])
    fetch_split(snakemake.output.split, addresses, settings)


if __name__ == "__main__":
    run(main, snakemake)
