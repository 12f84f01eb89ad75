"""Rule `screen_notes`: which notes of one shard may go on, and what they state."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.generation.requests import drafts_of, requests_of
from longtail_icd.generation.screening.load import load_screen
from longtail_icd.generation.screening.tables import screen_notes, summary


def main(snakemake):
    prompts = read_table(snakemake.input.prompts, "generation/prompts")
    responses = read_table(snakemake.input.responses, "generation/responses")
    screen = load_screen(
        snakemake.params.screening, dict(snakemake.input.items()), prompts["request_id"]
    )
    notes, labels = screen_notes(requests_of(prompts), drafts_of(responses), screen)
    write_table(notes, snakemake.output.notes, "generation/notes")
    write_table(labels, snakemake.output.labels, "generation/labels")
    print(summary(notes, labels))


if __name__ == "__main__":
    run(main, snakemake)
