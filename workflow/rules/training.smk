# Train and dev splits, and synthetic notes, to fine-tuned coders.


rule fetch_encoder:
    """A published archive to an encoder."""
    output:
        encoder=directory(ENCODER_ARCHIVE),
    log:
        "<logs>/training/fetch_encoder.log",
    localrule: True
    conda:
        "../../envs/torch.yaml"
    params:
        code=code_of("training", "fetch_encoder"),
        archive=config["encoder"]["archive"],
    script:
        "../scripts/fetch_encoder.py"


rule prepare_encoder:
    """A published encoder, or train notes, to tokenizer and encoder of all models."""
    input:
        unpack(encoder_sources),
    output:
        encoder=directory("<results>/training/encoder"),
    log:
        "<logs>/training/prepare_encoder.log",
    benchmark:
        "<benchmarks>/training/prepare_encoder.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(30),
    params:
        code=code_of("training", "prepare_encoder"),
        encoder=encoder_config(),
        chunk=config["tokens"]["chunk"],
    script:
        "../scripts/prepare_encoder.py"


# Like a training it goes on from its last checkpoint: no attempt needs more time than the first.
rule pretrain_encoder:
    """The encoder and train notes to an encoder pre-trained further."""
    input:
        encoder="<results>/training/encoder",
        notes="<results>/corpus/notes/train.parquet",
        texts=pretraining_texts(config),
    output:
        encoder=directory("<results>/training/pretrained_encoder"),
    log:
        "<logs>/training/pretrain_encoder.log",
    benchmark:
        "<benchmarks>/training/pretrain_encoder.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=per_attempt(16000),
        runtime=1440,
    params:
        code=code_of("training", "pretrain_encoder"),
        settings=config["encoder"]["pretraining"],
        chunk=config["tokens"]["chunk"],
        seed=config["encoder"]["seed"],
    script:
        "../scripts/pretrain_encoder.py"


rule tokenize_notes:
    """A split's notes and labels to token ids and label ids."""
    input:
        encoder="<results>/training/encoder",
        notes="<results>/corpus/notes/{split}.parquet",
        labels="<results>/corpus/labels/{split}.parquet",
        tiers="<results>/plan/tiers.parquet",
    output:
        tokens="<results>/training/tokens/{split}.arrow",
    log:
        "<logs>/training/tokenize_notes/{split}.log",
    benchmark:
        "<benchmarks>/training/tokenize_notes/{split}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(60),
    params:
        code=code_of("training", "tokenize_notes"),
        max_length=config["tokens"]["max_length"],
    script:
        "../scripts/tokenize_notes.py"


rule tokenize_synthetic_notes:
    """A recipe's notes and labels to token ids and label ids."""
    input:
        encoder="<results>/training/encoder",
        notes="<results>/generation/{recipe}/notes.parquet",
        labels="<results>/generation/{recipe}/labels.parquet",
        tiers="<results>/plan/tiers.parquet",
    output:
        tokens="<results>/training/tokens/synthetic/{recipe}.arrow",
    log:
        "<logs>/training/tokenize_synthetic_notes/{recipe}.log",
    benchmark:
        "<benchmarks>/training/tokenize_synthetic_notes/{recipe}.tsv"
    priority: 1
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(60),
    params:
        code=code_of("training", "tokenize_notes"),
        max_length=config["tokens"]["max_length"],
        text=config["corpus"]["text"],
    script:
        "../scripts/tokenize_notes.py"


# One real rule per model, so that profiles, -R and the graph can name it. A cluster's GPU is asked
# for in slurm/profile.yaml: as a resource here it would make a laptop train one model at a time.
for _model in MODELS:

    rule:
        """Encoder and tokens of a train set to a fine-tuned coder and its history."""
        name:
            f"train_{_model}"
        input:
            encoder=coder_encoder(),
            train="<results>/training/tokens/train.arrow",
            dev="<results>/training/tokens/dev.arrow",
            synthetic=synthetic_tokens,
            steps_of=steps_of_tokens,
            verdicts=screened_labels,
            code_sets=cloned_code_sets,
            tiers="<results>/plan/tiers.parquet",
            taxonomy="<results>/terminology/codes.parquet",
            synonyms=guideline_synonyms(_model),
        output:
            model=directory(f"<results>/training/{_model}/{{train_set}}/seed{{seed}}/model"),
            history=f"<results>/training/{_model}/{{train_set}}/seed{{seed}}/history.parquet",
        log:
            f"<logs>/training/{_model}/{{train_set}}/seed{{seed}}.log",
        benchmark:
            f"<results>/training/{_model}/{{train_set}}/seed{{seed}}/benchmark.tsv"
        conda:
            "../../envs/torch.yaml"
        resources:
            mem_mb=per_attempt(16000),
            runtime=1440,
        params:
            code=code_of("training", "train_model"),
            model=_model,
            settings=model_config(_model),
            train_set=train_set_config,
            pace=pace_config,
            text=config["corpus"]["text"],
            chunk=config["tokens"]["chunk"],
            max_length=config["tokens"]["max_length"],
        script:
            "../scripts/train_model.py"
