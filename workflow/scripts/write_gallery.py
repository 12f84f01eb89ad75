"""Rule `write_gallery`: a page to browse a recipe's notes."""

from longtail_icd.common.files import write_text
from longtail_icd.common.script import run
from longtail_icd.generation.endpoints.licences import corpus_licence
from longtail_icd.generation.quality.gallery import gallery_page, read_notes
from longtail_icd.generation.quality.restricted import close_restricted


def main(snakemake):
    inputs, params, page = snakemake.input, snakemake.params, snakemake.output.page
    licence = corpus_licence(params.corpus)
    close_restricted(page, licence)
    notes = read_notes(inputs, inputs.prompts, **params.sample)
    restricted = None if licence.public else licence.name
    recipe, corpus = snakemake.wildcards.recipe, params.corpus["name"]
    write_text(gallery_page(notes, recipe, corpus, restricted, inputs.template), page)
    print(f"{len(notes)} notes: {page}")


if __name__ == "__main__":
    run(main, snakemake)
