"""A model folder is complete: it predicts without the project's configuration or data.

==================  ==============================================================================
model.safetensors   the weights
config.json         the architecture, the encoder's included
tokenizer*.json     the tokenizer
labels.json         the codes in label order
titles.json         version, code, kind and title of each, in the same order
coder.json          how a text is prepared, the threshold, the calibration of the logits, and what
                    the model was trained with
==================  ==============================================================================
"""

from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class Label:
    """A code as people know it; a model trained before these were kept knows the code alone."""

    version: str | None
    code: str
    kind: str | None
    title: str | None


def save_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    labels: list[Label],
    coder: dict[str, Any],
    folder: Path,
) -> None:
    """Write everything that prediction needs to ``folder``, whole or not at all.

    Args:
        model: the trained coder.
        tokenizer: its encoder's.
        labels: in label order.
        coder: what coder.json says; ``text`` (a recipe of corpus.text), ``max_length`` (tokens),
            ``threshold`` (a logit) and ``calibration`` (both found on dev) are what a prediction
            needs.
        folder: where to.

    Raises:
        UserError: the folder cannot be written; checkpoints stay and can be resumed.
    """
    try:
        with atomic_folder(folder) as temporary:
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
            write_json([label.code for label in labels], temporary / "labels.json")
            write_json([asdict(label) for label in labels], temporary / "titles.json")
            write_json(coder, temporary / "coder.json")
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{folder}: the model cannot be saved ({error}); its checkpoint is kept; free disk "
            "space and run again"
        ) from None


def read_labels(folder: Path) -> list[str]:
    """Return the codes in label order."""
    return read_json(Path(folder) / "labels.json")


def read_titles(folder: Path) -> list[Label]:
    """Return the labels in label order; without titles.json (an older model) the codes alone.

    Raises:
        UserError: titles.json is of other codes than labels.json.
    """
    codes, path = read_labels(folder), Path(folder) / "titles.json"
    if not path.is_file():
        return [Label(None, code, None, None) for code in codes]
    labels = [Label(**one) for one in read_json(path)]
    if [label.code for label in labels] != codes:
        raise UserError(f"{path}: of other codes than labels.json; copy the model folder again")
    return labels


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
