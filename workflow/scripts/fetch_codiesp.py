"""Rule `fetch_codiesp`: download CodiEsp (CC BY 4.0) from Zenodo."""

from longtail_icd.common.script import run
from longtail_icd.corpus.fetch import fetch_codiesp


def main(snakemake):
    fetch_codiesp(snakemake.output.corpus)


if __name__ == "__main__":
    run(main, snakemake)
