"""Rule `compose_prompts`: one shard's prompts, with what is known of their codes."""

import polars as pl
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, scan_table, write_table
from longtail_icd.generation.knowledge import wanted_facts
from longtail_icd.generation.prompts import (
    compose_prompts,
    exemplar_texts,
    load_template,
    select_shard,
)


def main(snakemake):
    inputs, params = snakemake.input, snakemake.params
    planned = read_table(inputs.code_sets, "plan/code_sets").filter(~pl.col("reserve"))
    code_sets = select_shard(planned, int(snakemake.wildcards.shard), params.shards)
    exemplars = read_table(inputs.exemplars, "plan/exemplars").join(
        code_sets, on="request_id", how="semi"
    )
    facts = wanted_facts(
        code_sets,
        read_table(inputs.tiers, "plan/tiers"),
        read_table(inputs.codes, "terminology/codes"),
        read_table(inputs.synonyms, "terminology/synonyms"),
    )
    prompts = compose_prompts(
        code_sets,
        exemplar_texts(exemplars, scan_table(inputs.notes, "corpus/notes")),
        dict(exemplars.select("request_id", "skeleton").iter_rows()),
        facts,
        load_template(inputs.template),
        params.prompt["seed"],
    )
    write_table(prompts, snakemake.output.prompts, "generation/prompts")
    print(f"{prompts.height} of {planned.height} prompts")


if __name__ == "__main__":
    run(main, snakemake)
