"""Rule `prepare_encoder`: tokenizer and encoder that both models start from."""

from pathlib import Path

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.training.encoder import prepare_encoder


def main(snakemake):
    texts = read_table(snakemake.input.notes, "corpus/notes")["text"].to_list()
    titles = read_table(snakemake.input.codes, "terminology/codes")["title"].to_list()
    folder = Path(snakemake.output.encoder)
    prepare_encoder(texts + titles, snakemake.params.encoder, snakemake.params.chunk, folder)


if __name__ == "__main__":
    run(main, snakemake)
