"""Rule `screen_notes`: which notes of one shard may go on, and what they state."""

import polars as pl
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, scan_table, write_table
from longtail_icd.generation.prompts.exemplars import note_texts
from longtail_icd.generation.screening import screen_notes, summary


def main(snakemake):
    inputs = snakemake.input
    prompts = read_table(inputs.prompts, "generation/prompts").filter(~pl.col("reserve"))
    exemplars = read_table(inputs.exemplars, "plan/exemplars").join(
        prompts, on="request_id", how="semi"
    )
    notes, labels = screen_notes(
        prompts,
        read_table(inputs.responses, "generation/responses"),
        note_texts(exemplars, scan_table(inputs.notes, "corpus/notes")),
        snakemake.params.screening,
    )
    write_table(notes, snakemake.output.notes, "generation/notes")
    write_table(labels, snakemake.output.labels, "generation/labels")
    print(summary(notes, labels))


if __name__ == "__main__":
    run(main, snakemake)
