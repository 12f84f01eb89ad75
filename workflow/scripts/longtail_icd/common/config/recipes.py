"""What a schema cannot say of recipes and writers."""

from typing import Any

from longtail_icd.common.errors import UserError


def check_writers(config: dict[str, Any]) -> None:
    """Require one way to say where an LLM is."""
    for name, writer in config["writers"].items():
        if writer["backend"] == "openai" and ("base_url" in writer) == ("base_urls" in writer):
            raise UserError(
                f"configuration: writers.{name}: give base_url, or base_urls for several servers "
                "with the same model; one of them, not both"
            )


def check_prompts(config: dict[str, Any]) -> None:
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


def check_coders(config: dict[str, Any]) -> None:
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
