# Code systems with every node's title and place, and other wordings of the codes.


rule extract_taxonomy:
    input:
        ranges="resources/icd9_ranges.csv",
    output:
        codes="<results>/terminology/codes.parquet",
    log:
        "<logs>/terminology/extract_taxonomy.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("terminology", "extract_taxonomy"),
        adapter=config["corpus"]["adapter"],
    script:
        "../scripts/extract_taxonomy.py"


rule extract_synonyms:
    output:
        synonyms="<results>/terminology/synonyms.parquet",
    log:
        "<logs>/terminology/extract_synonyms.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("terminology", "extract_synonyms"),
        adapter=config["corpus"]["adapter"],
    script:
        "../scripts/extract_synonyms.py"
