"""A model folder is complete: it predicts without the project's configuration or data.

==================  ==============================================================================
model.safetensors   the weights
config.json         the architecture, the encoder's included
tokenizer*.json     the tokenizer
labels.json         the codes in label order
coder.json          how a text is prepared, the threshold, and what the model was trained with
==================  ==============================================================================
"""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_folder, read_json, write_json
from longtail_icd.training.checkpoints import check_label_space
from longtail_icd.training.gki_icd import GkiIcd
from longtail_icd.training.plm_ca import PlmCa
from longtail_icd.training.plm_icd import PlmIcd

MODELS = {"plm_icd": PlmIcd, "plm_ca": PlmCa, "gki_icd": GkiIcd}
FILES = {
    "config.json": "architecture",
    "model.safetensors": "weights",
    "tokenizer.json": "tokenizer",
    "tokenizer_config.json": "settings of the tokenizer",
    "labels.json": "label list",
    "coder.json": "text recipe and threshold",
}


def save_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    codes: list[str],
    coder: dict[str, Any],
    folder: Path,
) -> None:
    """Write everything that prediction needs to ``folder``, whole or not at all.

    Args:
        model: the trained coder.
        tokenizer: its encoder's.
        codes: in label order.
        coder: what coder.json says; ``text`` (a recipe of corpus.text), ``max_length`` (tokens)
            and ``threshold`` (a logit, chosen on dev) are what a prediction needs.
        folder: where to.

    Raises:
        UserError: the folder cannot be written; checkpoints stay and can be resumed.
    """
    try:
        with atomic_folder(folder) as temporary:
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
            write_json(codes, temporary / "labels.json")
            write_json(coder, temporary / "coder.json")
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{folder}: the model cannot be saved ({error}); its checkpoint is kept; free disk "
            "space and run again"
        ) from None


def read_labels(folder: Path) -> list[str]:
    """Return the codes in label order."""
    return read_json(Path(folder) / "labels.json")


def load_model(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a trained coder and its tokenizer.

    Raises:
        UserError: the folder holds no complete model, or one of another label list than its own.
            (Scoring an untrained model in its place would look like a result.)
    """
    folder = Path(folder)
    for name, what in FILES.items():
        if not (folder / name).is_file():
            raise UserError(
                f"{folder}: no {name} ({what}): not a complete model folder; train it again"
            )
    kind = read_json(folder / "config.json").get("model_type")
    if kind not in MODELS:
        raise UserError(f"{folder}/config.json: model_type {kind} is none of {', '.join(MODELS)}")
    check_label_space(folder, len(read_labels(folder)))
    try:
        model = MODELS[kind].from_pretrained(folder)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{folder}/model.safetensors: cannot be read ({error})") from None
    return model, AutoTokenizer.from_pretrained(folder)
