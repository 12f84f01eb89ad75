# Train labels and taxonomy to the notes to write: for which codes, with which companions.
# Rules with a priority lead to the synthetic notes, which the longest trainings wait for.


rule mine_cooccurrence:
    input:
        labels="<results>/corpus/labels/train.parquet",
        taxonomy="<results>/terminology/codes.parquet",
    output:
        cooccurrence="<results>/plan/cooccurrence.parquet",
        group_cooccurrence="<results>/plan/group_cooccurrence.parquet",
    log:
        "<logs>/plan/mine_cooccurrence.log",
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
    input:
        unpack(exemplar_sources),
        code_sets="<results>/plan/{recipe}/code_sets.parquet",
    output:
        exemplars="<results>/plan/{recipe}/exemplars.parquet",
    log:
        "<logs>/plan/{recipe}/select_exemplars.log",
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
