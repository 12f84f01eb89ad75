"""What a schema cannot say of train sets, models and the encoder."""

from pathlib import Path
from typing import Any

from longtail_icd.common.errors import UserError

# Real notes and synthetic ones count alike, as they are, for the configured number of epochs.
TRAIN_SET_DEFAULTS = {
    "real_passes": 1,
    "weight": 1.0,
    "dose": 1.0,
    "order": "concatenate",
    "companions": "all",
    "permute_anchors": False,
    "oversample": False,
    "steps_of": None,
}


def check_train_sets(config: dict[str, Any]) -> None:
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


def check_models(config: dict[str, Any]) -> None:
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


def pretraining_texts(config: dict[str, Any]) -> list[str]:
    """Return the texts that an encoder is pre-trained on beside the train notes.

    Before: ``{corpus}/background`` with the corpus in ``/data/codiesp``.
    After: ``/data/codiesp/background``.
    """
    texts = (config["encoder"]["pretraining"] or {"texts": []})["texts"]
    return [text.replace("{corpus}", str(config["corpus"]["path"])) for text in texts]


def check_encoder(config: dict[str, Any]) -> None:
    """Require one source of a pretrained encoder, and that texts to pre-train on exist."""
    encoder = config["encoder"]
    sources = [encoder["name"], encoder["archive"]["url"]]
    if encoder["source"] == "pretrained" and sources.count(None) != 1:
        raise UserError(
            "configuration: encoder.name: source: pretrained needs a folder or a hub id, or else "
            "encoder.archive.url"
        )
    for path in pretraining_texts(config):
        if not Path(path).exists():
            raise UserError(
                f"configuration: encoder.pretraining.texts: {path}: no such file or folder"
            )
