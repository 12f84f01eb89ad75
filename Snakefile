# longtail-icd: synthetic discharge summaries for rare ICD codes, from raw tables to a report.
# Every rule lives in workflow/rules/<stage>.smk; this file only draws the map.
from snakemake.utils import min_version

min_version("9.22")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


pathvars:
    results=RESULTS,
    logs=LOGS,


# On a cluster every job has its own GPU; only local runs share one.
resource_scopes:
    gpu="local",


include: "workflow/rules/corpus.smk"
include: "workflow/rules/terminology.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/generation.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/prediction.smk"


localrules:
    all,
    corpus,
    terminology,
    plan,
    generation,
    plan_generation,
    compact_journal,
    review,
    training,
    evaluation,
    prediction,
    cards,


rule all:
    default_target: True
    input:
        "<results>/report/index.html",
        plan_targets(),


rule corpus:
    input:
        corpus_targets(),


rule terminology:
    input:
        terminology_targets(),


rule plan:
    input:
        plan_targets(),


rule generation:
    input:
        generation_targets(),


# What the notes will cost, before they are asked for.
rule plan_generation:
    input:
        "<results>/generation/plan_generation.md",
    log:
        "<logs>/generation/plan_generation.log",
    conda:
        "envs/workflow.yaml"
    shell:
        "cat {input} | tee {log}"


rule review:
    input:
        review_targets(),


rule training:
    input:
        training_targets(),


rule evaluation:
    input:
        evaluation_targets(),


# A user's own notes to codes: needs prediction.notes (docs/prediction.md).
rule prediction:
    input:
        list(prediction_files().values()),


rule cards:
    input:
        card_targets(),
