"""A model folder is complete: weights, config, tokenizer and the label list."""

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_folder, read_json, write_json
from longtail_icd.training.gki_icd import GkiIcd
from longtail_icd.training.plm_ca import PlmCa
from longtail_icd.training.plm_icd import PlmIcd

MODELS = {"plm_icd": PlmIcd, "plm_ca": PlmCa, "gki_icd": GkiIcd}


def save_model(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, codes: list[str], folder: Path
) -> None:
    """Write everything that prediction needs to ``folder``, whole or not at all."""
    with atomic_folder(folder) as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
        write_json(codes, temporary / "labels.json")


def read_labels(folder: Path) -> list[str]:
    """Return the codes in label order."""
    return read_json(Path(folder) / "labels.json")


def load_model(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a trained coder and its tokenizer.

    Raises:
        UserError: the folder holds no complete model. (Scoring an untrained model in its place
        would look like a result.)
    """
    folder = Path(folder)
    for name in ("config.json", "model.safetensors", "labels.json"):
        if not (folder / name).is_file():
            raise UserError(f"{folder}: no {name}: not a complete model folder; train it again")
    kind = read_json(folder / "config.json").get("model_type")
    if kind not in MODELS:
        raise UserError(f"{folder}/config.json: model_type {kind} is none of {', '.join(MODELS)}")
    return MODELS[kind].from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
