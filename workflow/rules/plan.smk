# Train labels and taxonomy to the notes to write: for which codes, with which companions.
# Rules with a priority lead to the synthetic notes, which the longest trainings wait for.


rule mine_cooccurrence:
    """Train labels to which codes stand together, singly and by group."""
    input:
        labels="<results>/corpus/labels/train.parquet",
        taxonomy="<results>/terminology/codes.parquet",
    output:
        cooccurrence="<results>/plan/cooccurrence.parquet",
        group_cooccurrence="<results>/plan/group_cooccurrence.parquet",
    log:
        "<logs>/plan/mine_cooccurrence.log",
    benchmark:
        "<benchmarks>/plan/mine_cooccurrence.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(10),
    params:
        code=code_of("plan", "mine_cooccurrence"),
    script:
        "../scripts/mine_cooccurrence.py"


rule stratify_codes:
    """Train labels and taxonomy to the label space with frequencies and tiers."""
    input:
        **label_space_inputs(),
        labels="<results>/corpus/labels/train.parquet",
        taxonomy="<results>/terminology/codes.parquet",
    output:
        tiers="<results>/plan/tiers.parquet",
    log:
        "<logs>/plan/stratify_codes.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("plan", "stratify_codes"),
        label_space=config["corpus"]["label_space"],
        kinds=config["corpus"]["kinds"],
        tiers=config["tiers"],
    script:
        "../scripts/stratify_codes.py"


rule find_conflicts:
    """Train notes and exclusions to codes that contradict a person or each other."""
    input:
        labels="<results>/corpus/labels/train.parquet",
        notes="<results>/corpus/notes/train.parquet",
        tiers="<results>/plan/tiers.parquet",
        taxonomy="<results>/terminology/codes.parquet",
        excludes="<results>/terminology/excludes.parquet",
        cooccurrence="<results>/plan/cooccurrence.parquet",
        bounds="resources/demographic_bounds.csv",
    output:
        demographics="<results>/plan/demographics.parquet",
        conflicts="<results>/plan/conflicts.parquet",
    log:
        "<logs>/plan/find_conflicts.log",
    benchmark:
        "<benchmarks>/plan/find_conflicts.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(10),
    params:
        code=code_of("plan", "find_conflicts"),
    script:
        "../scripts/find_conflicts.py"


rule allocate_notes:
    """Tiers to the number of notes of each anchor."""
    input:
        tiers="<results>/plan/tiers.parquet",
    output:
        allocation="<results>/plan/{recipe}/allocation.parquet",
    log:
        "<logs>/plan/{recipe}/allocate_notes.log",
    priority: 1
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(1000),
        runtime=per_attempt(5),
    params:
        code=code_of("plan", "allocate_notes"),
        allocation=recipe_config("allocation"),
    script:
        "../scripts/allocate_notes.py"


rule build_code_sets:
    """Allocation and mined tables to the code set of every note to write."""
    input:
        unpack(mined_tables),
        labels="<results>/corpus/labels/train.parquet",
        tiers="<results>/plan/tiers.parquet",
        taxonomy="<results>/terminology/codes.parquet",
        allocation="<results>/plan/{recipe}/allocation.parquet",
    output:
        code_sets="<results>/plan/{recipe}/code_sets.parquet",
    log:
        "<logs>/plan/{recipe}/build_code_sets.log",
    benchmark:
        "<benchmarks>/plan/{recipe}/build_code_sets.tsv"
    priority: 1
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(15),
    params:
        code=code_of("plan", "build_code_sets"),
        code_sets=recipe_config("code_sets"),
    script:
        "../scripts/build_code_sets.py"


rule assess_code_sets:
    """Planned and real code sets to how alike they are."""
    input:
        code_sets="<results>/plan/{recipe}/code_sets.parquet",
        labels="<results>/corpus/labels/train.parquet",
        tiers="<results>/plan/tiers.parquet",
        taxonomy="<results>/terminology/codes.parquet",
        cooccurrence="<results>/plan/cooccurrence.parquet",
        conflicts="<results>/plan/conflicts.parquet",
    output:
        plausibility="<results>/plan/{recipe}/plausibility.parquet",
    log:
        "<logs>/plan/{recipe}/assess_code_sets.log",
    benchmark:
        "<benchmarks>/plan/{recipe}/assess_code_sets.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(15),
    params:
        code=code_of("plan", "assess_code_sets"),
    script:
        "../scripts/assess_code_sets.py"


rule select_exemplars:
    """Code sets and train notes to the exemplars that a prompt may show."""
    input:
        unpack(exemplar_sources),
        code_sets="<results>/plan/{recipe}/code_sets.parquet",
    output:
        exemplars="<results>/plan/{recipe}/exemplars.parquet",
    log:
        "<logs>/plan/{recipe}/select_exemplars.log",
    benchmark:
        "<benchmarks>/plan/{recipe}/select_exemplars.tsv"
    priority: 1
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(15),
    params:
        code=code_of("plan", "select_exemplars"),
        exemplars=recipe_config("exemplars"),
    script:
        "../scripts/select_exemplars.py"
