# A model folder, and notes that are new to it, to their codes; cards of models and of notes.


rule code_new_notes:
    """A user's notes and a trained coder to codes, and a page if asked for."""
    input:
        unpack(new_notes),
        template="resources/prediction/note.html.j2",
    output:
        **prediction_files(),
    log:
        "<logs>/prediction/code_new_notes.log",
    benchmark:
        "<benchmarks>/prediction/code_new_notes.tsv"
    conda:
        "../../envs/workflow_torch.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(240),
    params:
        code=code_of("prediction", "code_new_notes"),
        settings=config["prediction"],
    script:
        "../scripts/code_new_notes.py"


rule write_model_card:
    """A run's metrics and settings to the card of its model."""
    input:
        model="<results>/training/{model}/{train_set}/seed{seed}/model",
        metrics="<results>/evaluation/{model}/{train_set}/seed{seed}/metrics.parquet",
        manifest="<results>/corpus/manifest.json",
        tiers="<results>/plan/tiers.parquet",
        accounts=train_set_accounts,
    output:
        card="<results>/prediction/cards/{model}/{train_set}/seed{seed}/README.md",
    log:
        "<logs>/prediction/write_model_card/{model}/{train_set}/seed{seed}.log",
    conda:
        "../../envs/workflow_torch.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(10),
    params:
        code=code_of("prediction", "write_model_card"),
        settings=card_settings(),
    script:
        "../scripts/write_model_card.py"


rule write_dataset_card:
    """A recipe's manifest to the card of its notes."""
    input:
        account="<results>/generation/{recipe}/manifest.json",
    output:
        card="<results>/prediction/cards/notes/{recipe}/README.md",
    log:
        "<logs>/prediction/write_dataset_card/{recipe}.log",
    conda:
        "../../envs/workflow_torch.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(10),
    params:
        code=code_of("prediction", "write_dataset_card"),
        settings=card_settings(),
    script:
        "../scripts/write_dataset_card.py"
