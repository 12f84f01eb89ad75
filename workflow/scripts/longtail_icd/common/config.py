"""The configuration: checked against its schema and for what a schema cannot say."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from longtail_icd.common.errors import UserError

# Real notes and synthetic ones count alike, as they are, for the configured number of epochs.
TRAIN_SET_DEFAULTS = {
    "weight": 1.0,
    "dose": 1.0,
    "order": "concatenate",
    "companions": "all",
    "permute_anchors": False,
    "oversample": False,
    "steps_of": None,
}


def _name(path: Any) -> str:
    return ".".join(str(part) for part in path) or "(top level)"


def _kind_key(branches: list[dict[str, Any]]) -> str:
    """Return the key that tells the branches of a oneOf apart: each holds a constant of its own."""
    return next(key for key, schema in branches[0]["properties"].items() if "const" in schema)


def _explain_choice(error: Any) -> str:
    """Explain a oneOf by the branch that the block asks for. Before: ``{method: uniform, cap: 5}``.

    After: ``unknown key cap; uniform has the keys method, notes``.
    """
    where, branches = _name(error.absolute_path), error.schema["oneOf"]
    key = _kind_key(branches)
    kinds = [branch["properties"][key]["const"] for branch in branches]
    if not isinstance(error.instance, dict) or key not in error.instance:
        return f"{where}: missing key {key}: one of {', '.join(kinds)}"
    kind = error.instance[key]
    if kind not in kinds:
        return f"{where}.{key}: {kind!r} is not one of {', '.join(kinds)}"
    mistake = next(one for one in error.context if one.schema_path[0] == kinds.index(kind))
    message = _explain(mistake)
    if mistake.validator in ("additionalProperties", "required") and not mistake.relative_path:
        keys = ", ".join(sorted(branches[kinds.index(kind)]["properties"]))
        message = f"{message.partition('; ')[0]}; {kind} has the keys {keys}"
    return message


def _explain(error: Any) -> str:
    where = _name(error.absolute_path)
    if error.validator == "oneOf":
        return _explain_choice(error)
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - set(known))
        hints = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean {hints[0]}?" if hints else f"known keys: {', '.join(known)}"
        return f"{where}: unknown key {unknown[0]}; {hint}"
    if error.validator == "required":
        missing = sorted(set(error.schema["required"]) - set(error.instance))
        return f"{where}: missing key {missing[0]}"
    return f"{where}: {error.message}"


def _check_schema(config: dict[str, Any], schema_path: Path) -> None:
    schema = yaml.safe_load(schema_path.read_text(encoding="utf-8"))
    errors = sorted(
        Draft202012Validator(schema).iter_errors(config), key=lambda error: _name(error.path)
    )
    if errors:
        raise UserError("configuration: " + "\n  ".join(_explain(error) for error in errors))


def _check_names(config: dict[str, Any]) -> None:
    """Every name that a block refers to must be defined, and a path that is given must exist."""
    for train_set, one in config["train_sets"].items():
        for recipe in one["recipes"]:
            if recipe not in config["recipes"]:
                raise UserError(
                    f"configuration: train_sets.{train_set}.recipes: no recipe named {recipe}; "
                    f"recipes: {', '.join(config['recipes'])}"
                )
    for name, recipe in config["recipes"].items():
        if recipe["writer"] not in config["writers"]:
            raise UserError(
                f"configuration: recipes.{name}.writer: no writer named {recipe['writer']}; "
                f"writers: {', '.join(config['writers'])}"
            )
    for index, pair in enumerate(config["comparisons"]):
        for side in ("baseline", "against"):
            if pair[side] not in config["train_sets"]:
                raise UserError(
                    f"configuration: comparisons.{index}.{side}: no train set named {pair[side]}; "
                    f"train_sets: {', '.join(config['train_sets'])}"
                )
    tiers = config["tiers"]
    if not tiers["head"] > tiers["medium"] > tiers["tail"] > 1:
        raise UserError("configuration: tiers: head > medium > tail > 1 must hold")


def _check_writers(config: dict[str, Any]) -> None:
    """Require one way to say where an LLM is."""
    for name, writer in config["writers"].items():
        if writer["backend"] == "openai" and ("base_url" in writer) == ("base_urls" in writer):
            raise UserError(
                f"configuration: writers.{name}: give base_url, or base_urls for several servers "
                "with the same model; one of them, not both"
            )


def _check_train_sets(config: dict[str, Any]) -> None:
    """Refuse options that contradict each other, or that have nothing to act on."""
    train_sets = {name: TRAIN_SET_DEFAULTS | one for name, one in config["train_sets"].items()}
    paces = [name for name, one in train_sets.items() if not (one["steps_of"] or one["oversample"])]
    for name, one in train_sets.items():
        where = f"configuration: train_sets.{name}"
        if one["steps_of"] not in [None, *paces]:
            raise UserError(
                f"{where}.steps_of: {one['steps_of']} is no train set with steps of its own and "
                f"without oversample; those are: {', '.join(paces)}"
            )
        changed = [
            key
            for key, default in TRAIN_SET_DEFAULTS.items()
            if key != "steps_of" and one[key] != default
        ]
        if changed and not one["recipes"]:
            raise UserError(
                f"{where}.{changed[0]}: there are no synthetic notes to act on; name recipes, or "
                "leave it out"
            )
        if one["oversample"] and (one["companions"] != "all" or one["permute_anchors"]):
            raise UserError(
                f"{where}.oversample: goes with neither companions: anchor nor permute_anchors; it "
                "adds real notes, with all their labels"
            )


def _check_batch_tokens(config: dict[str, Any], name: str) -> None:
    """Require what batches of about as many tokens need; see batches.TokenBudgetSampler."""
    model, least = config["models"][name], 3 * config["tokens"]["max_length"]
    where = f"configuration: models.{name}.batch_tokens"
    if model["batch_tokens"] < least:
        raise UserError(
            f"{where}: {model['batch_tokens']}, but three times tokens.max_length, {least}, "
            "is the least"
        )
    orders = {one.get("order", "concatenate") for one in config["train_sets"].values()}
    if model["devices"] > 1 or model["micro_batch"] is not None or orders != {"concatenate"}:
        raise UserError(
            f"{where}: goes with devices: 1, without micro_batch, and with train sets of order: "
            "concatenate only"
        )


def _check_models(config: dict[str, Any]) -> None:
    """Require batches that can be cut into equal parts, and a measure to stop early by."""
    for name, model in config["models"].items():
        where = f"configuration: models.{name}"
        batch, devices = model["batch_size"], model["devices"]
        if batch % devices:
            raise UserError(f"{where}.batch_size: {batch} is no multiple of devices: {devices}")
        if batch // devices % (model["micro_batch"] or 1):
            raise UserError(
                f"{where}.micro_batch: a device's share of a batch, {batch // devices}, is no "
                f"multiple of {model['micro_batch']}"
            )
        if model["batch_tokens"] is not None:
            _check_batch_tokens(config, name)
        if model["early_stopping"] is not None and model["select_on"] == "last":
            raise UserError(
                f"{where}.early_stopping: needs select_on: map or micro_f1; under last every "
                "epoch is trained"
            )


def _check_prompts(config: dict[str, Any]) -> None:
    """Require of each recipe what its prompt template works on."""
    for name, recipe in config["recipes"].items():
        prompt, where = recipe["prompt"], f"configuration: recipes.{name}"
        strategy, exemplars = recipe["code_sets"]["strategy"], recipe["exemplars"]["method"]
        offline = config["writers"][recipe["writer"]]["backend"] == "offline"
        if prompt["template"] == "rephrase" and strategy != "paper":
            raise UserError(
                f"{where}.code_sets.strategy: {strategy}, but the template rephrase rewrites the "
                "note that a code set was cloned from: choose paper"
            )
        if prompt["template"] == "rephrase" and offline:
            raise UserError(
                f"{where}.writer: {recipe['writer']} is offline and cannot rewrite a note; choose "
                "a writer with a language model"
            )
        if recipe["screening"].get("judge") and offline:
            raise UserError(
                f"{where}.screening.judge: the writer {recipe['writer']} is offline and can judge "
                "nothing; choose a writer with a language model"
            )
        if prompt["template"] == "graft" and strategy != "paper" and exemplars != "ranked":
            raise UserError(
                f"{where}.exemplars.method: {exemplars}, but the template graft writes into the "
                "note that a code set was cloned from, or into the best exemplar: choose ranked, "
                "or code_sets.strategy: paper"
            )
        if sum(prompt.get("wording", {}).values()) > 1:
            raise UserError(f"{where}.prompt.wording: the shares are more than 1 together")
        if (words := prompt.get("words")) and words[0] > words[1]:
            raise UserError(f"{where}.prompt.words: {words[0]} is more than {words[1]}")


def _check_coders(config: dict[str, Any]) -> None:
    """Require of a coder that screens a recipe that it has work, and is trained before it."""
    for name, recipe in config["recipes"].items():
        where = f"configuration: recipes.{name}.screening"
        coder, verifier = (recipe["screening"].get(key) for key in ("coder", "verifier"))
        if (coder is None) != (verifier is None):
            raise UserError(
                f"{where}: coder and verifier, the probability that it must give, go together; "
                "set both, or none"
            )
        if coder is None:
            continue
        if recipe["screening"].get("missing_code") is None:
            raise UserError(
                f"{where}.coder: only missing_code asks it; set missing_code, or coder and "
                "verifier to null"
            )
        if coder["model"] not in config["models"]:
            raise UserError(
                f"{where}.coder.model: no model named {coder['model']}; "
                f"models: {', '.join(config['models'])}"
            )
        original = config["train_sets"].get("original")
        if original is None:
            raise UserError(f"{where}.coder: is trained on the train set original: define it")
        pace = config["train_sets"].get(original.get("steps_of"), {"recipes": []})
        if name in [*original["recipes"], *pace["recipes"]]:
            raise UserError(
                f"{where}.coder: is trained on the train set original, which waits for the notes "
                f"of {name} itself; take {name} out of original and its steps_of"
            )


def _check_terminology(config: dict[str, Any]) -> None:
    """Check that a source of synonyms has the user's file that it reads, and a file its source."""
    terminology = config["terminology"]
    sources = {"index_term": "index", "umls": "umls", "d_icd": "d_icd"}
    for source, key in sources.items():
        if source in terminology["synonyms"] and terminology[key] is None:
            raise UserError(
                f"configuration: terminology.{key}: the source {source} of terminology.synonyms "
                "needs a path (docs/terminology.md)"
            )
    for source, key in (("index_term", "index"), ("umls", "umls")):
        if terminology[key] is not None and source not in terminology["synonyms"]:
            raise UserError(
                f"configuration: terminology.{key}: nothing reads it; add {source} to "
                "terminology.synonyms, or set it to null"
            )
    for key in ("headings", "index", "umls"):
        path = terminology[key]
        if path is not None and not Path(path).is_file():
            raise UserError(f"configuration: terminology.{key}: {path}: no such file")
    folder = terminology["d_icd"]
    if folder not in (None, "corpus") and not Path(folder).is_dir():
        raise UserError(f"configuration: terminology.d_icd: {folder}: no such folder")
    if folder == "corpus" and not config["corpus"]["adapter"].startswith("mimic"):
        raise UserError(
            "configuration: terminology.d_icd: corpus: only MIMIC's folder holds the tables D_ICD_*"
        )


def _check_paths(config: dict[str, Any]) -> None:
    corpus = config["corpus"]
    paths = {
        "corpus.path": corpus["path"],
        "corpus.label_file": corpus["label_file"],
        "corpus.code_list": corpus["code_list"],
        "corpus.split.ids": corpus["split"]["ids"],
    }
    for key, path in paths.items():
        if path is not None and not Path(path).exists():
            fetch = "; `snakemake fetch_codiesp` downloads CodiEsp to resources/codiesp"
            hint = fetch if key == "corpus.path" and corpus["adapter"] == "codiesp" else ""
            raise UserError(f"configuration: {key}: {path}: no such file or folder{hint}")
    if corpus["adapter"] == "codiesp" and corpus["path"] is None:
        raise UserError(
            "configuration: corpus.path: the codiesp adapter needs the folder of the corpus; "
            "`snakemake fetch_codiesp` downloads it to resources/codiesp"
        )
    if corpus["adapter"] == "table" and corpus["path"] is None:
        raise UserError("configuration: corpus.path: the table adapter needs its table")
    layout = corpus["simulation"]["layout"]
    if corpus["path"] is None and corpus["adapter"] in {"mimic3", "mimic4"} - {layout}:
        raise UserError(
            f"configuration: corpus.path: the {corpus['adapter']} adapter needs the folder of its "
            f"tables; a simulated hospital (null) has those of corpus.simulation.layout: {layout}"
        )
    if corpus["adapter"] == "mimic4" and corpus["edition"] is None:
        raise UserError(
            "configuration: corpus.edition: MIMIC-IV holds two corpora: choose icd9 or icd10"
        )
    listed = corpus["labels"]["rules"] == "mullenbach_50"
    if listed and corpus["code_list"] is None and not corpus["labels"]["recount"]:
        raise UserError(
            "configuration: corpus.code_list: the rules mullenbach_50 need the published list of "
            "codes (docs/data.md); labels.recount: true counts again and gives another list"
        )
    if corpus["code_list"] is not None and not listed:
        raise UserError(
            "configuration: corpus.code_list: only labels.rules: mullenbach_50 reads it"
        )
    if corpus["label_space"] == "file" and corpus["label_file"] is None:
        raise UserError("configuration: corpus.label_file: label_space: file needs a file")


def _check_encoder(config: dict[str, Any]) -> None:
    """Require one source of a pretrained encoder, and that texts to pre-train on exist."""
    encoder = config["encoder"]
    sources = [encoder["name"], encoder["archive"]["url"]]
    if encoder["source"] == "pretrained" and sources.count(None) != 1:
        raise UserError(
            "configuration: encoder.name: source: pretrained needs a folder or a hub id, or else "
            "encoder.archive.url"
        )
    for path in (encoder["pretraining"] or {"texts": []})["texts"]:
        if not Path(path).exists():
            raise UserError(
                f"configuration: encoder.pretraining.texts: {path}: no such file or folder"
            )


def _check_split(config: dict[str, Any]) -> None:
    """Require that an official split has a source and any other leaves something to train on."""
    corpus, split = config["corpus"], config["corpus"]["split"]
    own = not corpus["adapter"].startswith("mimic")
    listed = split["ids"] is not None or split["download"]["split"] is not None
    if split["method"] == "official" and not own and not listed:
        raise UserError(
            "configuration: corpus.split.ids: split.method: official needs the folder with "
            "the id files of the split, or corpus.split.download (docs/data.md)"
        )
    if split["method"] != "official" and split["dev"] + split["test"] >= 1:
        raise UserError(
            "configuration: corpus.split: dev + test must be less than 1; the rest is train"
        )


def check_config(config: dict[str, Any], schema_path: Path) -> None:
    """Check ``config`` against the schema and its names and paths against each other.

    Raises:
        UserError: names the key, what is wrong with it and what would be right.
    """
    _check_schema(config, schema_path)
    _check_names(config)
    _check_writers(config)
    _check_train_sets(config)
    _check_prompts(config)
    _check_coders(config)
    _check_models(config)
    _check_paths(config)
    _check_encoder(config)
    _check_terminology(config)
    _check_split(config)


def fill_train_sets(config: dict[str, Any]) -> None:
    """Give each train set the options that its block leaves out."""
    for name, options in config["train_sets"].items():
        config["train_sets"][name] = TRAIN_SET_DEFAULTS | options


def fetched_encoder(url: str | None) -> str:
    """Return the folder of an encoder that comes as an archive, named after it."""
    name = "none" if url is None else url.rstrip("/").rpartition("/")[2].partition(".")[0]
    return f"resources/encoders/{name}"


def runs_of(config: dict[str, Any]) -> list[str]:
    """Return every training run as ``model/train_set/seedN``, in a fixed order."""
    return [
        f"{model}/{train_set}/seed{seed}"
        for model in sorted(config["models"])
        for train_set in config["train_sets"]
        for seed in config["seeds"]
    ]
