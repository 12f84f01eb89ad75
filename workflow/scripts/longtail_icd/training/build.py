"""An untrained model of any kind, on top of a prepared encoder."""

from typing import Any

import torch
from transformers import PreTrainedModel

from longtail_icd.training.encoder import freeze_lowest, pretrained_encoder
from longtail_icd.training.model_folder import MODELS

# What of a model's block of the configuration is part of the model.
SETTINGS = ("mask_padding", "rdrop_alpha", "rdrop_kind", "similarity_lambda")


def build_model(
    name: str,
    encoder_folder: str,
    labels: int,
    settings: dict[str, Any],
    chunk: int,
    seed: int,
) -> PreTrainedModel:
    """Return a model with the encoder's weights and a new head.

    Args:
        name: a key of MODELS.
        encoder_folder: the prepared encoder.
        labels: number of codes.
        settings: the model's block of the configuration.
        chunk: tokens per chunk.
        seed: of the head's random weights.
    """
    _, encoder = pretrained_encoder(encoder_folder, None)
    torch.manual_seed(seed)
    architecture = encoder.config.to_diff_dict() | {"model_type": encoder.config.model_type}
    kept = {key: settings[key] for key in SETTINGS if key in settings}
    kind = MODELS[name]
    model = kind(kind.config_class(encoder=architecture, labels=labels, chunk=chunk, **kept))
    model.encoder.load_state_dict(encoder.state_dict())
    freeze_lowest(model.encoder, settings.get("frozen_layers", 0))
    if settings.get("gradient_checkpointing"):
        model.encoder.activation_checkpointing_enable()
    return model
