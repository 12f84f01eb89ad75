"""Rule `screen_notes`: which notes of one shard may go on, and what they state."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.generation.requests import drafts_of, requests_of
from longtail_icd.generation.screening.load import load_screen
from longtail_icd.generation.screening.tables import screen_notes, summary


def main(snakemake):
    inputs = snakemake.input
    prompts = read_table(inputs.prompts, "generation/prompts")
    drafts = drafts_of(read_table(inputs.responses, "generation/responses"))
    screen = load_screen(snakemake.params.screening, dict(inputs.items()), prompts["request_id"])
    notes, labels = screen_notes(requests_of(prompts), drafts, screen)
    write_table(notes, snakemake.output.notes, "generation/notes")
    write_table(labels, snakemake.output.labels, "generation/labels")
    print(summary(notes, labels))


if __name__ == "__main__":
    run(main, snakemake)
