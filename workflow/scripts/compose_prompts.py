"""Rule `compose_prompts`: one shard's prompts, with what is known of their codes."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import ROWS_AT_ONCE, read_table, scan_table, write_batches
from longtail_icd.generation.knowledge import wanted_facts
from longtail_icd.generation.prompts.compose import compose_prompts, select_shard
from longtail_icd.generation.prompts.graft import with_carriers
from longtail_icd.generation.prompts.material import gather
from longtail_icd.generation.prompts.rephrase import cloned
from longtail_icd.generation.prompts.templates import load_template


def main(snakemake):
    inputs, prompt = snakemake.input, snakemake.params.prompt
    planned = read_table(inputs.code_sets, "plan/code_sets")
    code_sets = select_shard(planned, int(snakemake.wildcards.shard), snakemake.params.shards)
    exemplars = read_table(inputs.exemplars, "plan/exemplars")
    tiers = read_table(inputs.tiers, "plan/tiers")
    if prompt["template"] == "rephrase":
        code_sets = cloned(code_sets)
    elif prompt["template"] == "graft":
        labels = read_table(inputs.labels, "corpus/labels")
        code_sets = with_carriers(code_sets, exemplars, labels, tiers)
    facts = wanted_facts(
        code_sets,
        tiers,
        read_table(inputs.codes, "terminology/codes"),
        read_table(inputs.synonyms, "terminology/synonyms"),
    )
    shown = exemplars.join(code_sets, on="request_id", how="semi")
    material = gather(code_sets, shown, scan_table(inputs.notes, "corpus/notes"), prompt)
    template = load_template(inputs.template)
    prompts = (
        compose_prompts(batch, facts, template, prompt, material)
        for batch in code_sets.iter_slices(ROWS_AT_ONCE)
    )
    write_batches(prompts, snakemake.output.prompts, "generation/prompts")
    print(
        f"{code_sets.height} of {planned.height} prompts, {code_sets['reserve'].sum()} of them in "
        f"reserve; template {template.name}, version {template.hash}"
    )


if __name__ == "__main__":
    run(main, snakemake)
