"""Rule `estimate_cost`: requests, tokens, hours and money per tier of a recipe with an LLM."""

from dataclasses import asdict

import polars as pl
from longtail_icd.common.files import write_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.generation.cost.estimate import (
    assumed_sizes,
    estimate,
    measured_sizes,
    request_table,
)
from longtail_icd.generation.cost.pilot import PILOT_SIZE, ask_pilot, known_drafts, pilot_ids
from longtail_icd.generation.cost.prices import load_prices
from longtail_icd.generation.requests import requests_of


def main(snakemake):
    inputs, params = snakemake.input, snakemake.params
    recipe = snakemake.wildcards.recipe
    settings = snakemake.config["writers"][snakemake.config["recipes"][recipe]["writer"]]
    prompts = pl.concat(read_table(path, "generation/prompts") for path in inputs.prompts)
    requests = request_table(
        read_table(inputs.code_sets, "plan/code_sets"),
        prompts,
        read_table(inputs.tiers, "plan/tiers"),
    )
    price = load_prices(inputs.prices, params.prices).get(settings["model"])
    chosen = pilot_ids(requests, params.pilot or PILOT_SIZE)
    pilot = list(requests_of(prompts.filter(pl.col("request_id").is_in(chosen))))
    measured = ask_pilot(settings, params.journal, pilot) if params.pilot else None
    tokens_per_s = measured or (price.tokens_per_s if price else None)
    sizes = measured_sizes(requests, known_drafts(settings, params.journal, pilot))
    sizes = sizes or assumed_sizes(requests, settings["max_tokens"])
    cost = {
        "recipe": recipe,
        "model": settings["model"],
        "sizes": asdict(sizes),
        "price": None if price is None else asdict(price),
        "tokens_per_s": tokens_per_s,
        "rows": estimate(requests, sizes, price, tokens_per_s),
    }
    write_json(cost, snakemake.output.cost)


if __name__ == "__main__":
    run(main, snakemake)
