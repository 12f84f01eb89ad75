# What every stage's rules share: the checked configuration, names, input functions, code hashes.
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from longtail_icd.common.code_hash import hash_stage
from longtail_icd.common.config import check_config, runs_of
from longtail_icd.common.errors import UserError

try:
    check_config(config, SCRIPTS.parent / "schemas" / "config.schema.yaml")
except UserError as error:
    raise WorkflowError(str(error))

CORPUS = config["corpus"]["name"]
RESULTS = f"results/{CORPUS}"
LOGS = f"logs/{CORPUS}"
SPLITS = ["train", "dev", "test"]
MODELS = sorted(config["models"])
RECIPES = sorted({recipe for one in config["train_sets"].values() for recipe in one["recipes"]})
SHARDS = [f"{shard:03d}" for shard in range(config["generation"]["shards"])]
RUNS = runs_of(config)


wildcard_constraints:
    split="|".join(SPLITS),
    recipe="|".join(sorted(config["recipes"])),
    shard=r"\d{3}",
    model="|".join(MODELS),
    train_set="|".join(sorted(config["train_sets"])),
    seed=r"\d+",


def code_of(stage, script):
    """Return the hash of the code a rule runs; goes into every rule's params."""
    return hash_stage(SCRIPTS, stage, script)


def recipe_config(key):
    """Return a params function that gives one block of the recipe named by the wildcard."""

    def block(wildcards):
        return config["recipes"][wildcards.recipe][key]

    return block


def train_set_config(wildcards):
    """Return the options of the train set named by the wildcard."""
    return config["train_sets"][wildcards.train_set]


def synthetic_tokens(wildcards):
    """Return the tokenised notes of the recipes that the train set adds to the real notes."""
    recipes = config["train_sets"][wildcards.train_set]["recipes"]
    return expand("<results>/training/tokens/synthetic/{recipe}.parquet", recipe=recipes)


def per_attempt(amount):
    """Return a resources function that asks for ``amount`` more with each attempt."""

    def resource(wildcards, attempt):
        return amount * attempt

    return resource


def corpus_targets():
    """Return the files that `snakemake corpus` makes."""
    return expand(
        "<results>/corpus/{table}/{split}.parquet", table=["notes", "labels"], split=SPLITS
    )


def terminology_targets():
    """Return the files that `snakemake terminology` makes."""
    return ["<results>/terminology/codes.parquet", "<results>/terminology/synonyms.parquet"]


def label_space_inputs():
    """Return what a label space needs beside the train labels and the taxonomy, by input name.

    Only `corpus` reads the list of all codes, which knows the codes of dev and test.
    """
    if config["corpus"]["label_space"] == "corpus":
        return {"corpus_codes": "<results>/corpus/codes.parquet"}
    if config["corpus"]["label_space"] == "file":
        return {"label_file": config["corpus"]["label_file"]}
    return {}


def plan_targets():
    """Return the files that `snakemake plan` makes."""
    return [
        "<results>/plan/tiers.parquet",
        "<results>/plan/cooccurrence.parquet",
        *expand("<results>/plan/{recipe}/exemplars.parquet", recipe=RECIPES),
    ]


def generation_targets():
    """Return the files that `snakemake generation` makes."""
    return expand("<results>/generation/{recipe}/notes.parquet", recipe=RECIPES)


def training_targets():
    """Return the files that `snakemake training` makes: one model folder per run."""
    return [f"<results>/training/{run}/model" for run in RUNS]


def evaluation_targets():
    """Return the files that `snakemake evaluation` makes."""
    return ["<results>/evaluation/metrics.parquet", "<results>/evaluation/comparisons.parquet"]
