"""Rule `make_review`: a blinded review sheet, the page to fill it in, and the key."""

from longtail_icd.common.files import write_text
from longtail_icd.common.script import run
from longtail_icd.generation.endpoints.licences import corpus_licence
from longtail_icd.generation.quality.restricted import close_restricted
from longtail_icd.generation.quality.review import (
    read_review,
    review_key,
    review_page,
    review_sheet,
)


def main(snakemake):
    inputs, params, outputs = snakemake.input, snakemake.params, snakemake.output
    licence = corpus_licence(params.corpus)
    close_restricted(outputs.key, licence)
    notes = read_review(inputs, **params.sample)
    restricted = None if licence.public else licence.name
    write_text(review_sheet(notes), outputs.sheet)
    write_text(review_key(notes), outputs.key)
    write_text(review_page(notes, restricted, inputs.template), outputs.page)
    print(f"{len(notes)} notes: {outputs.page}")


if __name__ == "__main__":
    run(main, snakemake)
