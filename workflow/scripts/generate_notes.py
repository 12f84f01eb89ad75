"""Rule `generate_notes`: one shard's notes, as the writer gives them, reserve requests included."""

from functools import partial
from pathlib import Path

import polars as pl
from longtail_icd.common.script import run
from longtail_icd.common.tables import scan_table, write_rows
from longtail_icd.generation.requests import requests_of
from longtail_icd.generation.screening.judge import load_judge
from longtail_icd.generation.screening.load import load_screen
from longtail_icd.generation.screening.tables import duplicates_of
from longtail_icd.generation.servers.opening import Beside
from longtail_icd.generation.spool import Spool
from longtail_icd.generation.writers import Shard, write_shard


def main(snakemake):
    inputs, output = snakemake.input, snakemake.output.responses
    prompts = scan_table(inputs.prompts, "generation/prompts")
    known = prompts.select("request_id", "reserve").collect()
    screen = load_screen(snakemake.params.screening, dict(inputs.items()), known["request_id"])
    shard = Shard(
        requests=partial(requests_of, inputs.prompts),
        allocated=known.filter(~pl.col("reserve")).height,
        screen=screen,
        judge=load_judge(inputs.judge) if inputs.get("judge") else None,
        seen=partial(duplicates_of, screen),
    )
    # How an answer is fetched is read here and not from params: a new port or a wider
    # concurrency is no reason to run finished shards again.
    name = snakemake.config["recipes"][snakemake.wildcards.recipe]["writer"]
    writer = snakemake.config["writers"][name]
    batch = Path(output).parents[1] / "batch" / snakemake.wildcards.shard
    beside = Beside(batch=batch, log=Path(snakemake.log[0]))
    with Spool(Path(output).parent) as spool:
        journal = snakemake.params.journal
        write_shard(shard, writer, inputs.get("prose"), journal, spool, beside=beside)
        write_rows(map(vars, spool.drafts()), output, "generation/responses")


if __name__ == "__main__":
    run(main, snakemake)
