# Plan and knowledge to screened synthetic notes. A request's shard is a hash of its anchor.
# These short jobs come before any training that could already run: the longest runs wait for them.


rule compose_prompts:
    """A shard's code sets and exemplars to prompts."""
    input:
        unpack(graft_sources),
        code_sets="<results>/plan/{recipe}/code_sets.parquet",
        exemplars="<results>/plan/{recipe}/exemplars.parquet",
        tiers="<results>/plan/tiers.parquet",
        notes="<results>/corpus/notes/train.parquet",
        codes="<results>/terminology/codes.parquet",
        synonyms="<results>/terminology/synonyms.parquet",
        template=prompt_template,
    output:
        prompts="<results>/generation/{recipe}/prompts/{shard}.parquet",
    log:
        "<logs>/generation/{recipe}/compose_prompts/{shard}.log",
    benchmark:
        "<benchmarks>/generation/{recipe}/compose_prompts/{shard}.tsv"
    priority: 1
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(15),
    params:
        code=code_of("generation", "compose_prompts"),
        prompt=recipe_config("prompt"),
        shards=len(SHARDS),
    script:
        "../scripts/compose_prompts.py"


rule learn_train_facts:
    """Train notes to hashes, counts and quartiles, once for all recipes and shards; no text."""
    input:
        **wording_sources(),
        notes="<results>/corpus/notes/train.parquet",
        labels="<results>/corpus/labels/train.parquet",
    output:
        facts=directory("<results>/generation/train_facts"),
    log:
        "<logs>/generation/learn_train_facts.log",
    benchmark:
        "<benchmarks>/generation/learn_train_facts.tsv"
    priority: 1
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(60),
    params:
        code=code_of("generation", "learn_train_facts"),
    script:
        "../scripts/learn_train_facts.py"


# Needs no GPU: a language model is served elsewhere. Answers are kept in the journal, so a job
# that is killed or runs out of time goes on where it was: no attempt needs more than the first.
# A note that fails is corrected, or a reserve request takes its place.
rule generate_notes:
    """A shard's prompts to the writer's answers, screened as they come."""
    input:
        unpack(screening_sources),
        prompts="<results>/generation/{recipe}/prompts/{shard}.parquet",
        prose=offline_prose,
        judge=judge_template,
    output:
        responses="<results>/generation/{recipe}/responses/{shard}.parquet",
    log:
        "<logs>/generation/{recipe}/generate_notes/{shard}.log",
    benchmark:
        "<benchmarks>/generation/{recipe}/generate_notes/{shard}.tsv"
    priority: 1
    conda:
        writing_environment
    resources:
        mem_mb=screening_memory,
        runtime=720,
    params:
        code=code_of("generation", "generate_notes"),
        writer=writer_config,
        screening=recipe_config("screening"),
        journal="results/journal",
    script:
        "../scripts/generate_notes.py"


rule screen_notes:
    """A shard's answers to notes that may go on, and what each states of its codes."""
    input:
        unpack(screening_sources),
        prompts="<results>/generation/{recipe}/prompts/{shard}.parquet",
        responses="<results>/generation/{recipe}/responses/{shard}.parquet",
    output:
        notes="<results>/generation/{recipe}/screened/{shard}/notes.parquet",
        labels="<results>/generation/{recipe}/screened/{shard}/labels.parquet",
    log:
        "<logs>/generation/{recipe}/screen_notes/{shard}.log",
    benchmark:
        "<benchmarks>/generation/{recipe}/screen_notes/{shard}.tsv"
    priority: 1
    conda:
        screening_environment
    resources:
        mem_mb=screening_memory,
        runtime=per_attempt(15),
    params:
        code=code_of("generation", "screen_notes"),
        screening=recipe_config("screening"),
    script:
        "../scripts/screen_notes.py"


rule collect_notes:
    """All shards to a recipe's notes, labels and an account of them."""
    input:
        notes=expand("<results>/generation/{{recipe}}/screened/{shard}/notes.parquet", shard=SHARDS),
        labels=expand(
            "<results>/generation/{{recipe}}/screened/{shard}/labels.parquet", shard=SHARDS
        ),
        prompts=expand("<results>/generation/{{recipe}}/prompts/{shard}.parquet", shard=SHARDS),
        responses=expand("<results>/generation/{{recipe}}/responses/{shard}.parquet", shard=SHARDS),
        template=prompt_template,
    output:
        notes="<results>/generation/{recipe}/notes.parquet",
        labels="<results>/generation/{recipe}/labels.parquet",
        manifest="<results>/generation/{recipe}/manifest.json",
    log:
        "<logs>/generation/{recipe}/collect_notes.log",
    benchmark:
        "<benchmarks>/generation/{recipe}/collect_notes.tsv"
    priority: 1
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(8000),
        runtime=per_attempt(30),
    params:
        code=code_of("generation", "collect_notes"),
        screening=recipe_config("screening"),
        writer=recipe_config("writer"),
    script:
        "../scripts/collect_notes.py"


# What the notes are like beside train notes; dev and test are not looked at.
rule assess_notes:
    """Synthetic and train notes to what the ones are like beside the others."""
    input:
        notes="<results>/generation/{recipe}/notes.parquet",
        labels="<results>/generation/{recipe}/labels.parquet",
        exemplars="<results>/plan/{recipe}/exemplars.parquet",
        tiers="<results>/plan/tiers.parquet",
        codes="<results>/terminology/codes.parquet",
        synonyms="<results>/terminology/synonyms.parquet",
        train_notes="<results>/corpus/notes/train.parquet",
        train_labels="<results>/corpus/labels/train.parquet",
    output:
        quality="<results>/generation/{recipe}/quality.parquet",
    log:
        "<logs>/generation/{recipe}/assess_notes.log",
    benchmark:
        "<benchmarks>/generation/{recipe}/assess_notes.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(15),
    params:
        code=code_of("generation", "assess_notes"),
        sample=config["generation"]["quality"],
    script:
        "../scripts/assess_notes.py"


rule write_gallery:
    """A recipe's notes to a page to browse."""
    input:
        notes="<results>/generation/{recipe}/notes.parquet",
        labels="<results>/generation/{recipe}/labels.parquet",
        prompts=expand("<results>/generation/{{recipe}}/prompts/{shard}.parquet", shard=SHARDS),
        tiers="<results>/plan/tiers.parquet",
        codes="<results>/terminology/codes.parquet",
        template="resources/quality/gallery.html.j2",
        look="resources/quality/style.css.j2",
    output:
        page=f"<results>/generation/{{recipe}}/{TEXT_PAGES}gallery/index.html",
    log:
        "<logs>/generation/{recipe}/write_gallery.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(15),
    params:
        code=code_of("generation", "write_gallery"),
        corpus=source_corpus(),
        sample=config["generation"]["gallery"],
    script:
        "../scripts/write_gallery.py"


# Real train notes and synthetic ones for reviewers who must not know which is which; the key is
# never in the folder that they are given.
rule make_review:
    """Synthetic and train notes to a blinded sheet, the page to fill it in, and the key."""
    input:
        notes="<results>/generation/{recipe}/notes.parquet",
        labels="<results>/generation/{recipe}/labels.parquet",
        tiers="<results>/plan/tiers.parquet",
        codes="<results>/terminology/codes.parquet",
        train_notes="<results>/corpus/notes/train.parquet",
        train_labels="<results>/corpus/labels/train.parquet",
        template="resources/quality/review.html.j2",
        look="resources/quality/style.css.j2",
    output:
        sheet=f"<results>/generation/{{recipe}}/{TEXT_PAGES}review/sheet.csv",
        page=f"<results>/generation/{{recipe}}/{TEXT_PAGES}review/index.html",
        key="<results>/generation/{recipe}/restricted/review_key.csv",
    log:
        "<logs>/generation/{recipe}/make_review.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(15),
    params:
        code=code_of("generation", "make_review"),
        corpus=source_corpus(),
        sample=config["generation"]["review"],
    script:
        "../scripts/make_review.py"


# Before anything is spent: `snakemake plan_generation`. Sends nothing, unless asked for a pilot.
rule estimate_cost:
    """Prompts and prices to a recipe's requests, tokens, hours and money."""
    input:
        prompts=expand("<results>/generation/{{recipe}}/prompts/{shard}.parquet", shard=SHARDS),
        code_sets="<results>/plan/{recipe}/code_sets.parquet",
        tiers="<results>/plan/tiers.parquet",
        prices="resources/prices.yaml",
    output:
        cost="<results>/generation/{recipe}/cost.json",
    log:
        "<logs>/generation/{recipe}/estimate_cost.log",
    benchmark:
        "<benchmarks>/generation/{recipe}/estimate_cost.tsv"
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(4000),
        runtime=per_attempt(60),
    params:
        code=code_of("generation", "estimate_cost"),
        writer=writer_config,
        journal="results/journal",
        pilot=config["pilot"],
        prices=config["generation"]["prices"],
    script:
        "../scripts/estimate_cost.py"


rule summarise_costs:
    """All recipes' costs to one page."""
    input:
        expand("<results>/generation/{recipe}/cost.json", recipe=paid_recipes()),
    output:
        costs="<results>/generation/plan_generation.json",
        page="<results>/generation/plan_generation.md",
    log:
        "<logs>/generation/summarise_costs.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(500),
        runtime=per_attempt(5),
    params:
        code=code_of("generation", "summarise_costs"),
    script:
        "../scripts/summarise_costs.py"


# The answers of finished jobs in files several times smaller; jobs that run are left alone.
rule compact_journal:
    """The journal to fewer and smaller files."""
    log:
        "logs/compact_journal.log",
    conda:
        "../../envs/workflow.yaml"
    resources:
        mem_mb=per_attempt(2000),
        runtime=per_attempt(60),
    params:
        journal="results/journal",
    script:
        "../scripts/compact_journal.py"
