# Everything to figures, tables and one page to read.


rule plot_f1_by_tier:
    """Metrics to a figure: pooled F1 by tier, model and train set."""
    input:
        metrics="<results>/evaluation/metrics.parquet",
    output:
        figure=report(
            "<results>/report/figures/f1_by_tier.svg",
            caption="../report/f1_by_tier.rst",
            category="Results",
            labels={"corpus": CORPUS, "shows": "pooled F1 by tier"},
        ),
    log:
        "<logs>/report/plot_f1_by_tier.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("report", "plot_f1_by_tier"),
        train_sets=list(config["train_sets"]),
        tiers=config["tiers"],
    script:
        "../scripts/plot_f1_by_tier.py"


rule tabulate_codes:
    """All runs' logits to every code's test results."""
    input:
        scores=expand("<results>/evaluation/{run}/scores/test.safetensors", run=RUNS),
        thresholds=expand("<results>/evaluation/{run}/threshold.json", run=RUNS),
        labels="<results>/corpus/labels/test.parquet",
        tiers="<results>/plan/tiers.parquet",
        taxonomy="<results>/terminology/codes.parquet",
    output:
        codes="<results>/report/codes.parquet",
    log:
        "<logs>/report/tabulate_codes.log",
    benchmark:
        "<benchmarks>/report/tabulate_codes.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(30),
    params:
        code=code_of("report", "tabulate_codes"),
        runs=RUNS,
    script:
        "../scripts/tabulate_codes.py"


rule plot_f1_by_code:
    """Every code's results to a figure: F1 under two train sets against each other."""
    input:
        codes="<results>/report/codes.parquet",
    output:
        figure=report(
            "<results>/report/figures/f1_by_code.svg",
            caption="../report/f1_by_code.rst",
            category="Results",
            labels={"corpus": CORPUS, "shows": "F1 of each code"},
        ),
    log:
        "<logs>/report/plot_f1_by_code.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("report", "plot_f1_by_code"),
        comparison=main_comparison(config),
    script:
        "../scripts/plot_f1_by_code.py"


rule plot_allocation:
    """Plans to a figure: notes by tier before and after."""
    input:
        tiers="<results>/plan/tiers.parquet",
        code_sets=expand("<results>/plan/{recipe}/code_sets.parquet", recipe=PLANNED),
    output:
        figure=report(
            "<results>/report/figures/allocation.svg",
            caption="../report/allocation.rst",
            category="Plan",
            labels={"corpus": CORPUS, "shows": "notes by tier before and after"},
        ),
    log:
        "<logs>/report/plot_allocation.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(10),
    params:
        code=code_of("report", "plot_allocation"),
        recipes=PLANNED,
        tiers=config["tiers"],
    script:
        "../scripts/plot_allocation.py"


rule plot_plausibility:
    """Assessed plans to a figure: how like real code sets they are."""
    input:
        plausibility=expand("<results>/plan/{recipe}/plausibility.parquet", recipe=ASSESSED),
    output:
        figure=report(
            "<results>/report/figures/plausibility.svg",
            caption="../report/plausibility.rst",
            category="Plan",
            labels={"corpus": CORPUS, "shows": "how like real code sets the planned are"},
        ),
    log:
        "<logs>/report/plot_plausibility.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("report", "plot_plausibility"),
        recipes=ASSESSED,
    script:
        "../scripts/plot_plausibility.py"


rule plot_code_frequencies:
    """Synthetic notes to a figure: notes per code before and after."""
    input:
        tiers="<results>/plan/tiers.parquet",
        notes=expand("<results>/generation/{recipe}/notes.parquet", recipe=RECIPES),
        labels=expand("<results>/generation/{recipe}/labels.parquet", recipe=RECIPES),
    output:
        figure=report(
            "<results>/report/figures/code_frequencies.svg",
            caption="../report/code_frequencies.rst",
            category="Synthetic notes",
            labels={"corpus": CORPUS, "shows": "notes per code before and after"},
        ),
    log:
        "<logs>/report/plot_code_frequencies.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(10),
    params:
        code=code_of("report", "plot_code_frequencies"),
        recipes=RECIPES,
        tiers=config["tiers"],
    script:
        "../scripts/plot_code_frequencies.py"


rule plot_quality:
    """Assessed notes to a figure: what they are like beside real ones."""
    input:
        qualities=expand("<results>/generation/{recipe}/quality.parquet", recipe=RECIPES),
    output:
        figure=report(
            "<results>/report/figures/quality.svg",
            caption="../report/quality.rst",
            category="Synthetic notes",
            labels={"corpus": CORPUS, "shows": "what the notes are like"},
        ),
    log:
        "<logs>/report/plot_quality.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("report", "plot_quality"),
        recipes=RECIPES,
    script:
        "../scripts/plot_quality.py"


rule plot_learning_curves:
    """Histories to a figure: loss and dev MAP by epoch."""
    input:
        histories=expand("<results>/training/{run}/history.parquet", run=RUNS),
    output:
        figure=report(
            "<results>/report/figures/learning_curves.svg",
            caption="../report/learning_curves.rst",
            category="Training",
            labels={"corpus": CORPUS, "shows": "loss and dev MAP by epoch"},
        ),
    log:
        "<logs>/report/plot_learning_curves.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("report", "plot_learning_curves"),
        runs=RUNS,
        train_sets=list(config["train_sets"]),
    script:
        "../scripts/plot_learning_curves.py"


# What has run to make the coders and their scores. Benchmark files are read where they lie: one that
# is lost is no reason to run its rule again. A local rule, since nodes may not see the accounting.
rule account_jobs:
    """Benchmark files, and Slurm's accounting where there is one, to what the jobs took."""
    input:
        metrics="<results>/evaluation/metrics.parquet",
        comparisons="<results>/evaluation/comparisons.parquet",
        qualities=expand("<results>/generation/{recipe}/quality.parquet", recipe=RECIPES),
    output:
        jobs="<results>/report/jobs.parquet",
    log:
        "<logs>/report/account_jobs.log",
    localrule: True
    conda:
        "../../envs/workflow.yaml"
    params:
        code=code_of("report", "account_jobs"),
        rules=lambda wildcards: sorted(rule.name for rule in workflow.rules if rule.benchmark),
    script:
        "../scripts/account_jobs.py"


rule write_report:
    """Tables, figures and settings to one page to read."""
    input:
        template="resources/report/page.html.j2",
        parts=expand("resources/report/{part}.j2", part=["macros.html", "style.css", "marks.js"]),
        published_scores="resources/published_scores.csv",
        prices="resources/prices.yaml",
        metrics="<results>/evaluation/metrics.parquet",
        averages="<results>/evaluation/averages.parquet",
        ensembles="<results>/evaluation/ensembles.parquet",
        comparisons="<results>/evaluation/comparisons.parquet",
        codes="<results>/report/codes.parquet",
        jobs="<results>/report/jobs.parquet",
        models=expand("<results>/training/{run}/model", run=RUNS),
        benchmarks=expand("<results>/training/{run}/benchmark.tsv", run=RUNS),
        tiers="<results>/plan/tiers.parquet",
        synonyms="<results>/terminology/synonyms.parquet",
        manifest="<results>/corpus/manifest.json",
        notes=expand("<results>/corpus/notes/{split}.parquet", split=SPLITS),
        labels=expand("<results>/corpus/labels/{split}.parquet", split=SPLITS),
        allocations=expand("<results>/plan/{recipe}/allocation.parquet", recipe=RECIPES),
        code_sets=expand("<results>/plan/{recipe}/code_sets.parquet", recipe=PLANNED),
        assessments=expand("<results>/plan/{recipe}/plausibility.parquet", recipe=ASSESSED),
        synthetic_notes=expand("<results>/generation/{recipe}/notes.parquet", recipe=RECIPES),
        synthetic_labels=expand("<results>/generation/{recipe}/labels.parquet", recipe=RECIPES),
        manifests=expand("<results>/generation/{recipe}/manifest.json", recipe=RECIPES),
        qualities=expand("<results>/generation/{recipe}/quality.parquet", recipe=RECIPES),
        f1_by_tier="<results>/report/figures/f1_by_tier.svg",
        f1_by_code="<results>/report/figures/f1_by_code.svg",
        allocation="<results>/report/figures/allocation.svg",
        plausibility="<results>/report/figures/plausibility.svg",
        code_frequencies="<results>/report/figures/code_frequencies.svg",
        quality="<results>/report/figures/quality.svg",
        learning_curves="<results>/report/figures/learning_curves.svg",
    output:
        page=report(
            "<results>/report/index.html",
            caption="../report/page.rst",
            category="Results",
            labels={"corpus": CORPUS, "shows": "the whole page"},
        ),
    log:
        "<logs>/report/write_report.log",
    benchmark:
        "<benchmarks>/report/write_report.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(30),
    params:
        code=code_of("report", "write_report"),
        settings=used_settings(),
        planned=PLANNED,
        assessed=ASSESSED,
        runs=RUNS,
    script:
        "../scripts/write_report.py"
