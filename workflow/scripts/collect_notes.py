"""Rule `collect_notes`: all shards of a recipe together, with an account of them."""

from longtail_icd.common.files import write_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.generation.collect import (
    check_any_ok,
    manifest,
    merge_shards,
    reject_duplicates,
)
from longtail_icd.generation.endpoints.attestation import read_attestation
from longtail_icd.generation.endpoints.endpoint import attestation_record
from longtail_icd.generation.prompts.templates import load_template
from longtail_icd.generation.screening.tables import summary
from longtail_icd.generation.screening.thresholds import read_thresholds


def main(snakemake):
    inputs, outputs = snakemake.input, snakemake.output
    notes = merge_shards(inputs.notes, "generation/notes")
    labels = merge_shards(inputs.labels, "generation/labels")
    threshold = read_thresholds(snakemake.params.screening).near_duplicate
    notes, labels = reject_duplicates(notes, labels, threshold)
    template = load_template(inputs.template)
    writer = snakemake.config["writers"][snakemake.params.writer]
    account = {
        "template": {"name": template.name, "version": template.hash},
        "attestation": attestation_record(read_attestation(writer.get("attestation"))),
        **manifest(notes, labels, inputs.prompts, inputs.responses),
    }
    check_any_ok(account, snakemake.wildcards.recipe)
    write_table(notes, outputs.notes, "generation/notes")
    write_table(labels, outputs.labels, "generation/labels")
    write_json(account, outputs.manifest)
    print(summary(notes, labels))
    covered = ", ".join(f"{kind} {count}" for kind, count in account["coverage"].items())
    print(f"anchors by how many of their allocated notes are ok: {covered}")


if __name__ == "__main__":
    run(main, snakemake)
