# Coders and the test split to scores with intervals, and comparisons.


rule predict_codes:
    """A coder and a split's tokens to logits."""
    input:
        model="<results>/training/{model}/{train_set}/seed{seed}/model",
        tokens="<results>/training/tokens/{split}.arrow",
    output:
        scores="<results>/evaluation/{model}/{train_set}/seed{seed}/scores/{split}.safetensors",
    log:
        "<logs>/evaluation/predict_codes/{model}/{train_set}/seed{seed}/{split}.log",
    benchmark:
        "<benchmarks>/evaluation/predict_codes/{model}/{train_set}/seed{seed}/{split}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=per_attempt(16000),
        runtime=per_attempt(120),
    params:
        code=code_of("evaluation", "predict_codes"),
        batch_size=32,
    script:
        "../scripts/predict_codes.py"


rule tune_threshold:
    """A coder's logits on dev to the threshold, and its alternatives by tier and code."""
    input:
        scores="<results>/evaluation/{model}/{train_set}/seed{seed}/scores/dev.safetensors",
        labels="<results>/corpus/labels/dev.parquet",
        tiers="<results>/plan/tiers.parquet",
    output:
        threshold="<results>/evaluation/{model}/{train_set}/seed{seed}/threshold.json",
        thresholds="<results>/evaluation/{model}/{train_set}/seed{seed}/thresholds.parquet",
    log:
        "<logs>/evaluation/tune_threshold/{model}/{train_set}/seed{seed}.log",
    benchmark:
        "<benchmarks>/evaluation/tune_threshold/{model}/{train_set}/seed{seed}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(30),
    params:
        code=code_of("evaluation", "tune_threshold"),
        kind=config["evaluation"]["threshold"],
        prior=config["evaluation"]["threshold_prior"],
    script:
        "../scripts/tune_threshold.py"


rule score_predictions:
    """A coder's logits on test to every metric of the run."""
    input:
        scores="<results>/evaluation/{model}/{train_set}/seed{seed}/scores/test.safetensors",
        threshold="<results>/evaluation/{model}/{train_set}/seed{seed}/threshold.json",
        thresholds="<results>/evaluation/{model}/{train_set}/seed{seed}/thresholds.parquet",
        labels="<results>/corpus/labels/test.parquet",
        notes="<results>/corpus/notes/test.parquet",
        tiers="<results>/plan/tiers.parquet",
        taxonomy="<results>/terminology/codes.parquet",
    output:
        metrics="<results>/evaluation/{model}/{train_set}/seed{seed}/metrics.parquet",
        breakdown="<results>/evaluation/{model}/{train_set}/seed{seed}/breakdown.parquet",
        codes="<results>/evaluation/{model}/{train_set}/seed{seed}/codes.parquet",
    log:
        "<logs>/evaluation/score_predictions/{model}/{train_set}/seed{seed}.log",
    benchmark:
        "<benchmarks>/evaluation/score_predictions/{model}/{train_set}/seed{seed}.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(30),
    params:
        code=code_of("evaluation", "score_predictions"),
        evaluation=config["evaluation"],
        corpus=CORPUS,
    script:
        "../scripts/score_predictions.py"


rule score_ensembles:
    """All seeds' logits of each train set, averaged, to what they reach together."""
    input:
        dev_scores=expand("<results>/evaluation/{run}/scores/dev.safetensors", run=RUNS),
        test_scores=expand("<results>/evaluation/{run}/scores/test.safetensors", run=RUNS),
        dev_labels="<results>/corpus/labels/dev.parquet",
        test_labels="<results>/corpus/labels/test.parquet",
        notes="<results>/corpus/notes/test.parquet",
        tiers="<results>/plan/tiers.parquet",
    output:
        ensembles="<results>/evaluation/ensembles.parquet",
    log:
        "<logs>/evaluation/score_ensembles.log",
    benchmark:
        "<benchmarks>/evaluation/score_ensembles.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(60),
    params:
        code=code_of("evaluation", "score_ensembles"),
        runs=RUNS,
        models=MODELS,
        train_sets=list(config["train_sets"]),
        seeds=config["seeds"],
        evaluation=config["evaluation"],
    script:
        "../scripts/score_ensembles.py"


rule compare_runs:
    """All runs' logits and metrics to one table; train sets and comparisons with intervals."""
    input:
        scores=expand("<results>/evaluation/{run}/scores/test.safetensors", run=RUNS),
        thresholds=expand("<results>/evaluation/{run}/threshold.json", run=RUNS),
        metrics=expand("<results>/evaluation/{run}/metrics.parquet", run=RUNS),
        breakdowns=expand("<results>/evaluation/{run}/breakdown.parquet", run=RUNS),
        labels="<results>/corpus/labels/test.parquet",
        notes="<results>/corpus/notes/test.parquet",
        tiers="<results>/plan/tiers.parquet",
    output:
        metrics="<results>/evaluation/metrics.parquet",
        breakdown="<results>/evaluation/breakdown.parquet",
        averages="<results>/evaluation/averages.parquet",
        comparisons="<results>/evaluation/comparisons.parquet",
        changes="<results>/evaluation/changed_labels.parquet",
    log:
        "<logs>/evaluation/compare_runs.log",
    benchmark:
        "<benchmarks>/evaluation/compare_runs.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(60),
    params:
        code=code_of("evaluation", "compare_runs"),
        runs=RUNS,
        comparisons=config["comparisons"],
        models=MODELS,
        train_sets=list(config["train_sets"]),
        seeds=config["seeds"],
        evaluation=config["evaluation"],
    script:
        "../scripts/compare_runs.py"
