"""Rule `collect_notes`: all shards of a recipe together, with an account of them."""

from longtail_icd.common.files import write_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.generation.collect import check_any_ok, manifest, merge_shards
from longtail_icd.generation.prompts.templates import load_template
from longtail_icd.generation.screening.tables import summary


def main(snakemake):
    inputs, outputs = snakemake.input, snakemake.output
    notes = merge_shards(inputs.notes, "generation/notes")
    labels = merge_shards(inputs.labels, "generation/labels")
    template = load_template(inputs.template)
    account = {
        "template": {"name": template.name, "version": template.hash},
        **manifest(notes, labels, inputs.prompts, inputs.responses),
    }
    check_any_ok(account, snakemake.wildcards.recipe)
    write_table(notes, outputs.notes, "generation/notes")
    write_table(labels, outputs.labels, "generation/labels")
    write_json(account, outputs.manifest)
    print(summary(notes, labels))
    print(f"anchors without a note: {len(account['missing_anchors'])} of {account['anchors']}")


if __name__ == "__main__":
    run(main, snakemake)
