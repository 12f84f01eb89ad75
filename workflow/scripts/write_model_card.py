"""Rule `write_model_card`: what a trained model is, for whoever gets its folder."""

from pathlib import Path

from longtail_icd.common.files import read_json, write_text
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.prediction.model_card import model_card


def main(snakemake):
    inputs, config = snakemake.input, snakemake.params.settings
    recipes = config["train_sets"][snakemake.wildcards.train_set]["recipes"]
    card = model_card(
        Path(inputs.model),
        read_table(inputs.metrics, "evaluation/metrics"),
        read_json(inputs.manifest),
        read_table(inputs.tiers, "plan/tiers"),
        dict(zip(recipes, map(read_json, inputs.accounts), strict=True)),
        config,
    )
    write_text(card, snakemake.output.card)


if __name__ == "__main__":
    run(main, snakemake)
