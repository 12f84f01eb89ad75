"""Rule `fetch_encoder`: download an encoder that is published as an archive."""

from longtail_icd.common.script import run
from longtail_icd.training.encoder_archive import fetch_encoder


def main(snakemake):
    archive = snakemake.params.archive
    fetch_encoder(archive["url"], archive["sha256"], snakemake.output.encoder)


if __name__ == "__main__":
    run(main, snakemake)
