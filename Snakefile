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
    benchmarks=f"{RESULTS}/benchmarks",


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
    """Everything: the report and every recipe's plan."""
    default_target: True
    input:
        "<results>/report/index.html",
        plan_targets(),


rule corpus:
    """Raw tables to the split corpus and its manifest."""
    input:
        corpus_targets(),


rule terminology:
    """Code systems to titles, other wordings and exclusions."""
    input:
        terminology_targets(),


rule plan:
    """Train labels and taxonomy to the notes to write."""
    input:
        plan_targets(),


rule generation:
    """Plans to screened synthetic notes, their quality and a gallery."""
    input:
        generation_targets(),


rule plan_generation:
    """Plans to what their notes will cost, before any is asked for."""
    input:
        "<results>/generation/plan_generation.md",
    log:
        "<logs>/generation/plan_generation.log",
    conda:
        "envs/workflow.yaml"
    shell:
        "cat {input} | tee {log}"


rule review:
    """Synthetic and train notes to blinded sheets for reviewers."""
    input:
        review_targets(),


rule training:
    """Train sets to fine-tuned coders."""
    input:
        training_targets(),


rule evaluation:
    """Coders and the test split to metrics and comparisons."""
    input:
        evaluation_targets(),


rule prediction:
    """A user's own notes to codes; needs prediction.notes (docs/prediction.md)."""
    input:
        list(prediction_files().values()),


rule cards:
    """Trained models and notes to their cards."""
    input:
        card_targets(),
