"""Rule `prepare_encoder`: tokenizer and encoder that both models start from."""

from pathlib import Path

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, scan_table
from longtail_icd.training.encoder import prepare_encoder


def read_texts(source):
    """Yield the train notes and the titles of the label space."""
    for batch in scan_table(source.notes, "corpus/notes").select("text").collect_batches():
        yield from batch["text"]
    labels = read_table(source.tiers, "plan/tiers")
    taxonomy = scan_table(source.codes, "terminology/codes").select("version", "code", "title")
    known = labels.lazy().join(taxonomy, on=["version", "code"], maintain_order="left")
    yield from known.collect()["title"]


def main(snakemake):
    source, settings = snakemake.input, snakemake.params.encoder
    if source.get("fetched"):
        settings = settings | {"name": source.fetched}
    texts = read_texts(source) if settings["source"] == "scratch" else []
    prepare_encoder(texts, settings, snakemake.params.chunk, Path(snakemake.output.encoder))


if __name__ == "__main__":
    run(main, snakemake)
