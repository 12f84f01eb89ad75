# Plan and knowledge to screened synthetic notes. A request's shard is a hash of its anchor.


rule compose_prompts:
    input:
        code_sets="<results>/plan/{recipe}/code_sets.parquet",
        exemplars="<results>/plan/{recipe}/exemplars.parquet",
        tiers="<results>/plan/tiers.parquet",
        notes="<results>/corpus/notes/train.parquet",
        codes="<results>/terminology/codes.parquet",
        synonyms="<results>/terminology/synonyms.parquet",
        template=prompt_template,
    output:
        prompts="<results>/generation/{recipe}/prompts/{shard}.parquet",
    log:
        "<logs>/generation/{recipe}/compose_prompts/{shard}.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(15),
    params:
        code=code_of("generation", "compose_prompts"),
        prompt=recipe_config("prompt"),
        shards=len(SHARDS),
    script:
        "../scripts/compose_prompts.py"


# Needs no GPU: a language model is served elsewhere. Answers are kept in the journal, so a job
# that is killed or runs out of time goes on where it was.
rule generate_notes:
    input:
        prompts="<results>/generation/{recipe}/prompts/{shard}.parquet",
        prose=offline_prose,
    output:
        responses="<results>/generation/{recipe}/responses/{shard}.parquet",
    log:
        "<logs>/generation/{recipe}/generate_notes/{shard}.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(720),
    params:
        code=code_of("generation", "generate_notes"),
        writer=writer_config,
        journal="results/journal",
    script:
        "../scripts/generate_notes.py"


rule screen_notes:
    input:
        prompts="<results>/generation/{recipe}/prompts/{shard}.parquet",
        responses="<results>/generation/{recipe}/responses/{shard}.parquet",
        exemplars="<results>/plan/{recipe}/exemplars.parquet",
        notes="<results>/corpus/notes/train.parquet",
        labels="<results>/corpus/labels/train.parquet",
        tiers="<results>/plan/tiers.parquet",
        codes="<results>/terminology/codes.parquet",
        synonyms="<results>/terminology/synonyms.parquet",
        triggers="resources/screening/context_rules.yaml",
        equivalents="resources/screening/equivalents.yaml",
    output:
        notes="<results>/generation/{recipe}/screened/{shard}/notes.parquet",
        labels="<results>/generation/{recipe}/screened/{shard}/labels.parquet",
    log:
        "<logs>/generation/{recipe}/screen_notes/{shard}.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(15),
    params:
        code=code_of("generation", "screen_notes"),
        screening=recipe_config("screening"),
    script:
        "../scripts/screen_notes.py"


rule collect_notes:
    input:
        notes=expand("<results>/generation/{{recipe}}/screened/{shard}/notes.parquet", shard=SHARDS),
        labels=expand(
            "<results>/generation/{{recipe}}/screened/{shard}/labels.parquet", shard=SHARDS
        ),
        prompts=expand("<results>/generation/{{recipe}}/prompts/{shard}.parquet", shard=SHARDS),
        responses=expand("<results>/generation/{{recipe}}/responses/{shard}.parquet", shard=SHARDS),
    output:
        notes="<results>/generation/{recipe}/notes.parquet",
        labels="<results>/generation/{recipe}/labels.parquet",
        manifest="<results>/generation/{recipe}/manifest.json",
    log:
        "<logs>/generation/{recipe}/collect_notes.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(30),
    params:
        code=code_of("generation", "collect_notes"),
    script:
        "../scripts/collect_notes.py"
