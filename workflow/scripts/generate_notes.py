"""Rule `generate_notes`: one shard's notes, as the writer gives them."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.generation.requests import requests_of
from longtail_icd.generation.writer import responses_table
from longtail_icd.generation.writers import make_writer


def main(snakemake):
    # How an answer is fetched is read here and not from params: a new port or a wider
    # concurrency is no reason to run finished shards again.
    name = snakemake.config["recipes"][snakemake.wildcards.recipe]["writer"]
    prose = snakemake.input.get("prose") or None
    writer = make_writer(snakemake.config["writers"][name], prose, snakemake.params.journal)
    requests = [one for one in requests_of(snakemake.input.prompts) if not one.reserve]
    responses = responses_table(writer.write(requests))
    write_table(responses, snakemake.output.responses, "generation/responses")


if __name__ == "__main__":
    run(main, snakemake)
