# Code systems with every node's title and place, other wordings of the codes, codes that exclude
# each other.


rule extract_taxonomy:
    """Code systems to every node with its title and place."""
    input:
        **checked(title_files),
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
        edition=config["corpus"]["edition"],
    script:
        "../scripts/extract_taxonomy.py"


rule extract_synonyms:
    """Code systems and the user's files to other wordings of the codes."""
    input:
        **checked(wording_files),
        codes="<results>/terminology/codes.parquet",
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
        sources=config["terminology"]["synonyms"],
    script:
        "../scripts/extract_synonyms.py"


rule extract_excludes:
    """Code systems to the nodes that must not be used together."""
    output:
        excludes="<results>/terminology/excludes.parquet",
    log:
        "<logs>/terminology/extract_excludes.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(10),
    params:
        code=code_of("terminology", "extract_excludes"),
        adapter=config["corpus"]["adapter"],
        edition=config["corpus"]["edition"],
    script:
        "../scripts/extract_excludes.py"
