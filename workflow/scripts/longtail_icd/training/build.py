"""An untrained model of either kind, on top of a prepared encoder."""

from typing import Any

import torch
from transformers import AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from longtail_icd.training.batches import pad
from longtail_icd.training.gki_icd import GkiIcd, GkiIcdConfig
from longtail_icd.training.plm_icd import PlmIcd, PlmIcdConfig
from longtail_icd.training.tokenization import token_ids


def _titles(titles: list[str], tokenizer: PreTrainedTokenizerBase, length: int):
    """Tokenise code titles, start and end marks included, to at most ``length`` tokens."""
    return pad(token_ids(titles, tokenizer, length), 1, tokenizer.pad_token_id)


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
        name: plm_icd or gki_icd.
        encoder_folder: the prepared encoder.
        tokenizer: the encoder's.
        titles: every label's title, in label order.
        settings: the model's block of the configuration.
        chunk: tokens per chunk.
        seed: of the head's random weights.
    """
    encoder = AutoModel.from_pretrained(encoder_folder, add_pooling_layer=False)
    torch.manual_seed(seed)
    common = {"encoder": encoder.config.to_diff_dict(), "labels": len(titles), "chunk": chunk}
    common["encoder"]["model_type"] = encoder.config.model_type
    if name == "plm_icd":
        model = PlmIcd(PlmIcdConfig(**common))
        model.encoder.load_state_dict(encoder.state_dict())
        return model
    terms = ("rdrop_alpha", "rdrop_kind", "similarity_lambda")
    model = GkiIcd(GkiIcdConfig(**common, **{term: settings[term] for term in terms}))
    model.encoder.load_state_dict(encoder.state_dict())
    if settings["description_init"]:
        ids, mask = _titles(titles, tokenizer, min(settings["description_tokens"], chunk))
        model.initialise_from_descriptions(ids, mask)
    return model
