# What every stage's rules share: the checked configuration, names, input functions, code hashes.
import sys
from functools import partial
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from longtail_icd.common.code_hash import hash_stage
from longtail_icd.common.config import (
    check_config,
    drop_unset,
    fetched_encoder,
    fill_train_sets,
    pretraining_texts,
    runs_of,
)
from longtail_icd.common.errors import UserError
from longtail_icd.corpus.raw_files import codiesp_files, MIMIC_TABLES
from longtail_icd.corpus.simulator.layouts import hospital_files
from longtail_icd.corpus.split_files import downloaded, official_files
from longtail_icd.generation.endpoints.endpoint import FETCHING
from longtail_icd.generation.endpoints.licences import corpus_licence
from longtail_icd.generation.screening.thresholds import read_thresholds
from longtail_icd.prediction.sources import prediction_sources
from longtail_icd.report.controls import main_comparison
from longtail_icd.terminology.user_files import D_ICD, find_d_icd

drop_unset(config)
try:
    check_config(config, SCRIPTS.parent / "schemas" / "config.schema.yaml")
except UserError as error:
    raise WorkflowError(str(error))

fill_train_sets(config)
CORPUS = config["corpus"]["name"]
RESULTS = f"results/{CORPUS}"
LOGS = f"logs/{CORPUS}"
SPLITS = ["train", "dev", "test"]
MODELS = sorted(config["models"])
RECIPES = sorted({recipe for one in config["train_sets"].values() for recipe in one["recipes"]})
# The recipes whose plan is made and reported, also where no train set uses them.
PLANNED = sorted(
    recipe
    for recipe, one in config["recipes"].items()
    if recipe in RECIPES or one["code_sets"]["strategy"] != "anchor"
)
# Those with companions, which can be held against those of real notes.
ASSESSED = [one for one in PLANNED if config["recipes"][one]["code_sets"]["strategy"] != "anchor"]
SHARDS = [f"{shard:03d}" for shard in range(config["generation"]["shards"])]
RUNS = runs_of(config)
# What shows texts of a corpus that is not public lies in a folder that only its owner can enter.
TEXT_PAGES = "" if corpus_licence(config["corpus"]).public else "restricted/"
ENCODER_ARCHIVE = fetched_encoder(config["encoder"]["archive"]["url"])
# What of the corpus block determines the prepared tables, beside the files themselves.
PREPARE_SETTINGS = [
    "adapter",
    "notes",
    "kinds",
    "language",
    "edition",
    "code_separator",
    "text",
    "joining",
    "labels",
]


wildcard_constraints:
    split="|".join(SPLITS),
    recipe="|".join(sorted(config["recipes"])),
    shard=r"\d{3,4}",
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


def pace_config(wildcards):
    """Return the options of the train set whose number of steps is taken over, if any."""
    return config["train_sets"].get(train_set_config(wildcards)["steps_of"])


def model_config(model):
    """Return what of a model's block determines its weights; how often they are saved does not."""
    return {key: value for key, value in config["models"][model].items() if key != "save_steps"}


def synthetic_tokens(wildcards):
    """Return the tokenised notes of the recipes that the train set adds to the real notes."""
    recipes = train_set_config(wildcards)["recipes"]
    return expand("<results>/training/tokens/synthetic/{recipe}.arrow", recipe=recipes)


def screened_labels(wildcards):
    """Return what screening says of each label, for a train set that masks what it did not find."""
    options = train_set_config(wildcards)
    recipes = options["recipes"] if options["companions"] == "anchor" else []
    return expand("<results>/generation/{recipe}/labels.parquet", recipe=recipes)


def cloned_code_sets(wildcards):
    """Return which real notes the recipes' code sets come from, for a train set that repeats them."""
    options = train_set_config(wildcards)
    recipes = options["recipes"] if options["oversample"] else []
    return expand("<results>/plan/{recipe}/code_sets.parquet", recipe=recipes)


def steps_of_tokens(wildcards):
    """Return the synthetic notes of the train set whose number of steps is taken over, if any."""
    other = pace_config(wildcards)
    recipes = other["recipes"] if other else []
    return expand("<results>/training/tokens/synthetic/{recipe}.arrow", recipe=recipes)


def encoder_config():
    """Return what determines a prepared encoder; its pre-training comes after."""
    return {key: value for key, value in config["encoder"].items() if key != "pretraining"}


def encoder_sources(wildcards):
    """Return what an encoder is made from: texts for its vocabulary, a downloaded archive, nothing.

    An encoder from a local folder or a hub is named in the configuration and is no file of a rule.
    """
    if config["encoder"]["source"] == "pretrained":
        archived = config["encoder"]["archive"]["url"] is not None
        return {"fetched": ENCODER_ARCHIVE} if archived else {}
    return {
        "notes": "<results>/corpus/notes/train.parquet",
        "tiers": "<results>/plan/tiers.parquet",
        "codes": "<results>/terminology/codes.parquet",
    }


def coder_encoder():
    """Return the encoder that coders start from: the prepared one, or the one pre-trained further."""
    name = "pretrained_encoder" if config["encoder"]["pretraining"] else "encoder"
    return f"<results>/training/{name}"


def guideline_synonyms(model):
    """Return the wordings that a model's guidelines are made of, if it reads guidelines."""
    guided = config["models"][model].get("guideline")
    return ["<results>/terminology/synonyms.parquet"] if guided else []


def exemplar_sources(wildcards):
    """Return what a recipe's exemplars are ranked by; other methods need the code sets alone."""
    if config["recipes"][wildcards.recipe]["exemplars"]["method"] != "ranked":
        return {}
    return {
        "labels": "<results>/corpus/labels/train.parquet",
        "notes": "<results>/corpus/notes/train.parquet",
        "tiers": "<results>/plan/tiers.parquet",
        "taxonomy": "<results>/terminology/codes.parquet",
        "synonyms": "<results>/terminology/synonyms.parquet",
    }


def prompt_template(wildcards):
    """Return the template file of the recipe named by the wildcard."""
    template = config["recipes"][wildcards.recipe]["prompt"]["template"]
    return f"resources/prompts/{template}.j2"


def graft_sources(wildcards):
    """Return what evidence that is written into real notes needs: the codes of these notes."""
    grafted = recipe_config("prompt")(wildcards)["template"] == "graft"
    return {"labels": "<results>/corpus/labels/train.parquet"} if grafted else {}


def writer_config(wildcards):
    """Return what determines a writer's answers; where and how fast they are fetched does not."""
    writer = config["writers"][config["recipes"][wildcards.recipe]["writer"]]
    return {key: value for key, value in writer.items() if key not in FETCHING}


def wording_sources():
    """Return what codes are looked up in notes by, by input name."""
    return {
        "tiers": "<results>/plan/tiers.parquet",
        "codes": "<results>/terminology/codes.parquet",
        "synonyms": "<results>/terminology/synonyms.parquet",
        "triggers": "resources/screening/context_rules.yaml",
        "equivalents": "resources/screening/equivalents.yaml",
    }


def screening_sources(wildcards):
    """Return what a recipe's notes are screened against, by input name; never dev or test."""
    sources = {
        "exemplars": "<results>/plan/{recipe}/exemplars.parquet",
        "notes": "<results>/corpus/notes/train.parquet",
    }
    screening = recipe_config("screening")(wildcards)
    if read_thresholds(screening).needs_train_facts:
        sources |= {"facts": "<results>/generation/train_facts", **wording_sources()}
    if coder := screening.get("coder"):
        # The one edge against the flow: a model that has seen no synthetic note of the recipe.
        model = "<results>/training/{model}/original/seed{seed}/model"
        sources["coder"] = model.format(**coder)
    return sources


def screening_environment(wildcards):
    """Return the conda environment that screens a recipe's notes: with torch for a coder."""
    coder = recipe_config("screening")(wildcards).get("coder")
    return f"../../envs/{'workflow_torch' if coder else 'workflow'}.yaml"


def writing_environment(wildcards):
    """Return the conda environment that writes a recipe's notes: with torch for a model in the job."""
    in_job = writer_config(wildcards)["backend"] == "transformers"
    return "../../envs/workflow_torch.yaml" if in_job else screening_environment(wildcards)


def screening_memory(wildcards, attempt):
    """Return the megabytes that a job asks for that screens a recipe's notes."""
    coder = recipe_config("screening")(wildcards).get("coder")
    return (8000 if coder else 2000) * attempt


def judge_template(wildcards):
    """Return the judge's prompt, if the recipe asks one."""
    judged = config["recipes"][wildcards.recipe]["screening"].get("judge", False)
    return "resources/prompts/judge.j2" if judged else []


def offline_prose(wildcards):
    """Return the sentences of the offline writer, if the recipe uses it."""
    writer = writer_config(wildcards)
    return writer["prose"] if writer["backend"] == "offline" else []


def paid_recipes():
    """Return the recipes that a language model writes, in the order of the configuration."""
    backends = {name: one["backend"] for name, one in config["writers"].items()}
    recipes = config["recipes"].items()
    return [name for name, one in recipes if backends[one["writer"]] != "offline"]


def hospital_tables():
    """Return the files of the simulated hospital by table."""
    files = hospital_files(config["corpus"]["simulation"]["layout"])
    return {table: f"<results>/corpus/hospital/{file}" for table, file in files.items()}


def corpus_folder(wildcards):
    """Return where the raw tables are: the user's folder or table, or the simulated hospital's."""
    return config["corpus"]["path"] or f"{RESULTS}/corpus/hospital"


def raw_tables():
    """Return the raw files of the corpus by name: the user's, or the simulated hospital's."""
    corpus = config["corpus"]
    folder = corpus["path"]
    if corpus["adapter"] == "codiesp":
        return codiesp_files(folder, corpus["kinds"], corpus["notes"], corpus["language"])
    if corpus["adapter"] == "table":
        return {"table": folder}
    names, find = MIMIC_TABLES[corpus["adapter"]]
    tables = names(corpus["kinds"], corpus["notes"])
    if folder is None:
        return {table: hospital_tables()[table] for table in tables}
    return {table: find(folder, table) for table in tables}


def code_list():
    """Return the list of the only codes to keep, where the configuration names one."""
    path = config["corpus"]["code_list"]
    return {} if path is None else {"code_list": path}


def official_ids(wildcards):
    """Return the files that list the official split, where the configuration names any.

    Asked when a job needs them: `snakemake fetch_split` runs before they are there.
    """
    return checked(partial(official_files, config["corpus"]["split"]))


def d_icd_files():
    """Return MIMIC's tables of code titles by name, if the configuration asks for them."""
    folder = config["terminology"]["d_icd"]
    if folder is None:
        return {}
    if folder != "corpus":
        return find_d_icd(folder)
    if config["corpus"]["path"] is not None:
        return find_d_icd(config["corpus"]["path"])
    tables = {name.upper(): path for name, path in hospital_tables().items()}
    return {f"d_icd_{kind}": tables[table] for kind, table in D_ICD.items()}


def title_files():
    """Return the user's files that the taxonomy takes titles from, by name."""
    headings = config["terminology"]["headings"]
    return {**d_icd_files(), **({"headings": headings} if headings else {})}


def wording_files():
    """Return the user's files that the chosen sources of synonyms read, by name."""
    terminology = config["terminology"]
    files = {name: terminology[name] for name in ("index", "umls") if terminology[name]}
    return {**files, **(d_icd_files() if "d_icd" in terminology["synonyms"] else {})}


def checked(files):
    """Return the files that the function ``files`` finds; what it misses is one clear error."""
    try:
        return files()
    except UserError as error:
        raise WorkflowError(str(error))


def per_attempt(amount):
    """Return a resources function that asks for ``amount`` more with each attempt."""

    def resource(wildcards, attempt):
        return amount * attempt

    return resource


def corpus_targets():
    """Return the files that `snakemake corpus` makes."""
    tables = expand(
        "<results>/corpus/{table}/{split}.parquet", table=["notes", "labels"], split=SPLITS
    )
    return [*tables, "<results>/corpus/manifest.json"]


def terminology_targets():
    """Return the files that `snakemake terminology` makes."""
    tables = ["codes", "synonyms", "excludes"]
    return expand("<results>/terminology/{table}.parquet", table=tables)


def label_space_inputs():
    """Return what a label space needs beside the train labels and the taxonomy, by input name.

    Only `corpus` reads the list of all codes, which knows the codes of dev and test.
    """
    if config["corpus"]["label_space"] == "corpus":
        return {"corpus_codes": "<results>/corpus/codes.parquet"}
    if config["corpus"]["label_space"] == "file":
        return {"label_file": config["corpus"]["label_file"]}
    return {}


def mined_tables(wildcards):
    """Return what code sets are drawn from, by input name; only the strategy `sample` draws."""
    if config["recipes"][wildcards.recipe]["code_sets"]["strategy"] != "sample":
        return {}
    tables = ["cooccurrence", "group_cooccurrence", "conflicts"]
    return {table: f"<results>/plan/{table}.parquet" for table in tables}


def plan_targets():
    """Return the files that `snakemake plan` makes."""
    return [
        "<results>/plan/tiers.parquet",
        "<results>/plan/cooccurrence.parquet",
        "<results>/plan/conflicts.parquet",
        *expand("<results>/plan/{recipe}/exemplars.parquet", recipe=PLANNED),
        *expand("<results>/plan/{recipe}/plausibility.parquet", recipe=ASSESSED),
    ]


def generation_targets():
    """Return the files that `snakemake generation` makes."""
    files = ["notes.parquet", "quality.parquet", f"{TEXT_PAGES}gallery/index.html"]
    return expand("<results>/generation/{recipe}/{file}", recipe=RECIPES, file=files)


def review_targets():
    """Return the files that `snakemake review` makes."""
    return expand(f"<results>/generation/{{recipe}}/{TEXT_PAGES}review/index.html", recipe=RECIPES)


def source_corpus():
    """Return what of the corpus block says who may read what derives from it."""
    return {key: config["corpus"][key] for key in ("name", "adapter", "path")}


def training_targets():
    """Return the files that `snakemake training` makes: one model folder per run."""
    return [f"<results>/training/{run}/model" for run in RUNS]


def used_settings():
    """Return the configuration without the recipes and writers that no train set uses."""
    recipes = {recipe: config["recipes"][recipe] for recipe in RECIPES}
    writers = sorted({recipe["writer"] for recipe in recipes.values()})
    return {
        **config,
        "recipes": recipes,
        "writers": {writer: config["writers"][writer] for writer in writers},
    }


def evaluation_targets():
    """Return the files that `snakemake evaluation` makes."""
    tables = ("metrics", "comparisons", "ensembles")
    return [f"<results>/evaluation/{table}.parquet" for table in tables]


def new_notes(wildcards):
    """Return the user's own notes and the model that codes them; no other target asks for them."""
    return checked(partial(prediction_sources, config["prediction"], RUNS, f"{RESULTS}/training"))


def prediction_files():
    """Return the files that `snakemake prediction` makes, by name: codes, and a page if asked for."""
    page = {"page": "<results>/prediction/note.html"} if config["prediction"]["page"] else {}
    return {"codes": "<results>/prediction/codes.jsonl", **page}


def train_set_accounts(wildcards):
    """Return the manifests of the recipes that the train set adds to the real notes."""
    recipes = train_set_config(wildcards)["recipes"]
    return expand("<results>/generation/{recipe}/manifest.json", recipe=recipes)


def card_settings():
    """Return the blocks of the configuration that cards quote."""
    blocks = ["corpus", "terminology", "encoder", "train_sets", "evaluation"]
    return {block: config[block] for block in blocks}


def card_targets():
    """Return the files that `snakemake cards` makes."""
    names = [*RUNS, *(f"notes/{recipe}" for recipe in RECIPES)]
    return expand("<results>/prediction/cards/{name}/README.md", name=names)
