"""The text encoder that all models start from."""

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import ByteLevelBPETokenizer
from tokenizers.processors import TemplateProcessing
from torch import nn
from transformers import (
    MODEL_MAPPING,
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_folder

SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
# These count positions from behind the padding id.
RESERVED_POSITIONS = {"roberta": 2, "xlm-roberta": 2, "camembert": 2, "mpnet": 2}


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Learn a lower-casing byte-level BPE vocabulary of ``vocabulary`` tokens from ``texts``."""
    tokenizer = ByteLevelBPETokenizer(lowercase=True, add_prefix_space=True)
    tokenizer.train_from_iterator(
        texts, vocab_size=vocabulary, special_tokens=SPECIAL_TOKENS, show_progress=False
    )
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        special_tokens=[(mark, tokenizer.token_to_id(mark)) for mark in ("<s>", "</s>")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


def scratch_encoder(
    tokenizer: PreTrainedTokenizerFast, settings: dict[str, Any], chunk: int
) -> PreTrainedModel:
    """Return a small RoBERTa with random weights; ``settings`` is the config's encoder block."""
    torch.manual_seed(settings["seed"])
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings["hidden_size"],
        num_hidden_layers=settings["layers"],
        num_attention_heads=settings["heads"],
        intermediate_size=4 * settings["hidden_size"],
        max_position_embeddings=chunk + RESERVED_POSITIONS["roberta"],
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return RobertaModel(config, add_pooling_layer=False)


def without_pooler(config: PreTrainedConfig) -> dict[str, bool]:
    """Return what tells AutoModel to leave the pooler out, for architectures that have one."""
    parameters = inspect.signature(MODEL_MAPPING[type(config)]).parameters
    return {"add_pooling_layer": False} if "add_pooling_layer" in parameters else {}


def pretrained_encoder(
    name: str, revision: str | None
) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """Load a tokenizer and an encoder without its pooler and heads.

    Args:
        name: a local folder or a hub id.
        revision: the commit, of a hub id.

    Raises:
        UserError: a hub id without a commit, nothing that can be loaded, or weights that are not
            there. (transformers would draw them at random and go on.)
    """
    if not Path(name).is_dir() and revision is None:
        raise UserError(
            f"configuration: encoder.revision: {name} comes from a hub: "
            "pin the commit, or give a local folder"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
        config = AutoConfig.from_pretrained(name, revision=revision)
        model, found = AutoModel.from_pretrained(
            name, revision=revision, output_loading_info=True, **without_pooler(config)
        )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"configuration: encoder.name: {name} cannot be loaded: {error}") from None
    missing = sorted(found["missing_keys"])
    if missing:
        raise UserError(
            f"configuration: encoder.name: {name} lacks {len(missing)} weights of its "
            f"architecture, the first {missing[0]}; get the encoder again"
        )
    return tokenizer, model


def freeze_lowest(encoder: PreTrainedModel, layers: int) -> None:
    """Leave the lowest layers and the embeddings below them as they are; 0: train everything.

    Raises:
        UserError: the encoder has fewer layers.
    """
    if layers == 0:
        return
    depth = encoder.config.num_hidden_layers
    if layers > depth:
        raise UserError(
            f"configuration: models.*.frozen_layers: {layers}, but the encoder has {depth} layers"
        )
    stacks = (module for module in encoder.modules() if isinstance(module, nn.ModuleList))
    stack = next(module for module in stacks if len(module) == depth)
    encoder.requires_grad_(False)
    for layer in stack[layers:]:
        layer.requires_grad_(True)


def prepare_encoder(
    texts: Iterable[str], settings: dict[str, Any], chunk: int, folder: Path
) -> None:
    """Write tokenizer and encoder to ``folder``.

    Args:
        texts: what a vocabulary is learned from (``source: scratch``): train notes and titles.
        settings: the encoder block of the configuration.
        chunk: tokens the encoder sees at once.
        folder: where to; loadable by AutoTokenizer and AutoModel.

    Raises:
        UserError: a pretrained encoder cannot be loaded, or reads less than a chunk.
    """
    if settings["source"] == "scratch":
        tokenizer = train_tokenizer(texts, settings["vocabulary"])
        model = scratch_encoder(tokenizer, settings, chunk)
    else:
        tokenizer, model = pretrained_encoder(settings["name"], settings["revision"])
    places = model.config.max_position_embeddings - RESERVED_POSITIONS.get(
        model.config.model_type, 0
    )
    if chunk > places:
        raise UserError(
            f"configuration: tokens.chunk: {chunk} tokens, but the encoder reads {places} at most"
        )
    with atomic_folder(folder) as temporary:
        tokenizer.save_pretrained(temporary)
        model.save_pretrained(temporary)
