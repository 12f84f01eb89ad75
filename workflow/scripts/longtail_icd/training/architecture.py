"""Any text encoder that AutoModel knows, without the pooler that some bring along."""

import inspect
from typing import Any

from torch import nn
from transformers import MODEL_MAPPING, AutoConfig, AutoModel, PreTrainedConfig


def without_pooler(config: PreTrainedConfig) -> dict[str, bool]:
    """Return the option that leaves the pooler out, for architectures that have one."""
    options = inspect.signature(MODEL_MAPPING[type(config)]).parameters
    return {"add_pooling_layer": False} if "add_pooling_layer" in options else {}


def encoder_from(settings: dict[str, Any]) -> nn.Module:
    """Return an untrained encoder of the architecture that ``settings`` describe."""
    values = dict(settings)
    config = AutoConfig.for_model(values.pop("model_type"), **values)
    return AutoModel.from_config(config, **without_pooler(config))


def pretrained_encoder(name: str, revision: str | None = None) -> nn.Module:
    """Load an encoder from a folder or a hub; what else a checkpoint holds (its head) is left."""
    config = AutoConfig.from_pretrained(name, revision=revision)
    return AutoModel.from_pretrained(name, revision=revision, **without_pooler(config))
