# Raw hospital tables to one canonical corpus, split by patient.


rule simulate_hospital:
    """Nothing but a seed to the raw tables of a hospital that does not exist."""
    input:
        ranges="resources/icd9_ranges.csv",
        prose="resources/hospital_prose.yaml",
    output:
        **hospital_tables(),
    log:
        "<logs>/corpus/simulate_hospital.log",
    benchmark:
        "<benchmarks>/corpus/simulate_hospital.tsv"
    conda:
        "../../envs/workflow.yaml"
    # More of them write more notes at a time, and the same ones.
    threads: 1 + config["corpus"]["simulation"]["documents"] // 10_000
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(30),
    params:
        code=code_of("corpus", "simulate_hospital"),
        simulation=config["corpus"]["simulation"],
    script:
        "../scripts/simulate_hospital.py"


rule fetch_codiesp:
    """Zenodo to the corpus CodiEsp."""
    output:
        corpus=directory("resources/codiesp"),
    log:
        "<logs>/corpus/fetch_codiesp.log",
    localrule: True
    conda:
        "../../envs/workflow.yaml"
    params:
        code=code_of("corpus", "fetch_codiesp"),
    script:
        "../scripts/fetch_codiesp.py"


rule fetch_split:
    """A published split to its files of ids."""
    input:
        published="resources/published_splits.yaml",
    output:
        split=directory(downloaded(config["corpus"]["split"]["download"]["split"])),
    log:
        "<logs>/corpus/fetch_split.log",
    localrule: True
    conda:
        "../../envs/workflow.yaml"
    params:
        code=code_of("corpus", "fetch_split"),
        download=config["corpus"]["split"]["download"],
    script:
        "../scripts/fetch_split.py"


rule prepare_corpus:
    """Raw tables to documents and their codes."""
    input:
        **checked(raw_tables),
        **code_list(),
    output:
        notes="<results>/corpus/prepared/notes.parquet",
        labels="<results>/corpus/prepared/labels.parquet",
        manifest="<results>/corpus/prepared/manifest.json",
    log:
        "<logs>/corpus/prepare_corpus.log",
    benchmark:
        "<benchmarks>/corpus/prepare_corpus.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(30),
    params:
        code=code_of("corpus", "prepare_corpus"),
        path=corpus_folder,
        settings={key: config["corpus"][key] for key in PREPARE_SETTINGS},
    script:
        "../scripts/prepare_corpus.py"


rule split_corpus:
    """Documents and codes to three parts that share no patient."""
    input:
        unpack(official_ids),
        notes="<results>/corpus/prepared/notes.parquet",
        labels="<results>/corpus/prepared/labels.parquet",
    output:
        notes=expand("<results>/corpus/notes/{split}.parquet", split=SPLITS),
        labels=expand("<results>/corpus/labels/{split}.parquet", split=SPLITS),
        codes="<results>/corpus/codes.parquet",
    log:
        "<logs>/corpus/split_corpus.log",
    benchmark:
        "<benchmarks>/corpus/split_corpus.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(10),
    params:
        code=code_of("corpus", "split_corpus"),
        split={key: config["corpus"]["split"][key] for key in ("method", "dev", "test", "seed")},
    script:
        "../scripts/split_corpus.py"


rule describe_corpus:
    """The split corpus to its manifest, beside published figures."""
    input:
        prepared="<results>/corpus/prepared/manifest.json",
        notes=expand("<results>/corpus/notes/{split}.parquet", split=SPLITS),
        labels=expand("<results>/corpus/labels/{split}.parquet", split=SPLITS),
        published="resources/published_figures.yaml",
    output:
        manifest="<results>/corpus/manifest.json",
    log:
        "<logs>/corpus/describe_corpus.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(10),
    params:
        code=code_of("corpus", "describe_corpus"),
        tiers=config["tiers"],
        published=config["corpus"]["published"],
    script:
        "../scripts/describe_corpus.py"
