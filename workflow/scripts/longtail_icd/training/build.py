"""An untrained model of any kind, on top of a prepared encoder."""

from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from longtail_icd.training.encoder import pretrained_encoder
from longtail_icd.training.model_folder import MODELS
from longtail_icd.training.plm_ca import PlmCa
from longtail_icd.training.tokenization import token_ids

# What of a model's block of the configuration is part of the model.
SETTINGS = ("mask_padding", "rdrop_alpha", "rdrop_kind", "similarity_lambda")


def build_model(
    name: str,
    encoder_folder: str,
    tokenizer: PreTrainedTokenizerBase,
    titles: list[str],
    settings: dict[str, Any],
    chunk: int,
    seed: int,
) -> PreTrainedModel:
    """Return a model with the encoder's weights and a new head.

    Args:
        name: a key of MODELS.
        encoder_folder: the prepared encoder.
        tokenizer: the encoder's.
        titles: every label's title, in label order.
        settings: the model's block of the configuration.
        chunk: tokens per chunk.
        seed: of the head's random weights.
    """
    _, encoder = pretrained_encoder(encoder_folder, None)
    torch.manual_seed(seed)
    architecture = encoder.config.to_diff_dict() | {"model_type": encoder.config.model_type}
    kept = {key: settings[key] for key in SETTINGS if key in settings}
    kind = MODELS[name]
    model = kind(kind.config_class(encoder=architecture, labels=len(titles), chunk=chunk, **kept))
    model.encoder.load_state_dict(encoder.state_dict())
    if isinstance(model, PlmCa) and settings["description_init"]:
        length = min(settings["description_tokens"], chunk)
        tokens = [torch.tensor(ids) for ids in token_ids(titles, tokenizer, length)]
        model.initialise_from_descriptions(tokens, length)
    if settings.get("gradient_checkpointing"):
        model.encoder.activation_checkpointing_enable()
    return model
