"""Rule `write_dataset_card`: what a recipe's notes are; `save_dataset` puts it beside them."""

from longtail_icd.common.files import read_json, write_text
from longtail_icd.common.script import run
from longtail_icd.generation.endpoints.dataset_card import dataset_card


def main(snakemake):
    recipe, account = snakemake.wildcards.recipe, read_json(snakemake.input.account)
    write_text(dataset_card(snakemake.params.settings, recipe, account), snakemake.output.card)


if __name__ == "__main__":
    run(main, snakemake)
