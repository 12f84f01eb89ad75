"""A model folder as a coder of new notes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import read_json
from longtail_icd.corpus.text_recipes import TEXT_RECIPES
from longtail_icd.prediction.notes import Note
from longtail_icd.prediction.passages import Passage, find_passages, word_weights
from longtail_icd.prediction.preparation import Prepared, prepare
from longtail_icd.training.calibration import Calibration
from longtail_icd.training.inference import Predictor, Reading
from longtail_icd.training.model_folder import read_titles

NEEDED = ("text", "max_length", "threshold")


@dataclass(frozen=True)
class Code:
    """A code of a note.

    Attributes:
        version: icd9cm, icd10cm or icd10pcs; null, as kind and title, in an older model.
        probability: calibrated on dev.
        predicted: the logit reaches the model's threshold.
        passages: what the label looked at most, in the order of the text.
    """

    code: str
    version: str | None
    kind: str | None
    title: str | None
    probability: float
    predicted: bool
    passages: list[Passage]


@dataclass(frozen=True)
class CodedNote:
    """What a model says of a note.

    Attributes:
        tokens: that were read; 0 for a note without text, which gets no codes.
        cut: the note is longer than the model reads.
        codes: the most probable first.
    """

    note_id: str
    tokens: int
    cut: bool
    codes: list[Code]


class NoteCoder:
    """Codes notes with a model folder and nothing else.

    Args:
        folder: of the model.
        top: codes that a note gets at least, predicted or not.
        passages: of a code, at most.

    Attributes:
        name: the model's kind, for people.
        labels: what it knows, in label order.
        max_length: tokens that it reads of a note.
        calibrated: its probabilities were fitted on dev; else (an older model) they are those of
            the plain logits.

    Raises:
        UserError: the folder holds no complete model.
    """

    def __init__(self, folder: str | Path, top: int = 0, passages: int = 3):
        folder = Path(folder)
        self._predictor = Predictor(folder)
        self.labels = read_titles(folder)
        settings = read_json(folder / "coder.json")
        for key in NEEDED:
            if key not in settings:
                raise UserError(f"{folder}/coder.json: key {key} is missing; train the model again")
        self._recipe = TEXT_RECIPES[settings["text"]]
        self._threshold = settings["threshold"]["logit"]
        fitted = settings.get("calibration")
        self._calibration = (
            Calibration(fitted["slope"], fitted["intercept"]) if fitted else Calibration()
        )
        self._top, self._passages = top, passages
        self.name = settings.get("model", "a coder")
        self.max_length = settings["max_length"]
        self.calibrated = fitted is not None

    def _listed(self, logits: np.ndarray) -> np.ndarray:
        """Return the predicted labels and the ``top`` best, the best first."""
        order = np.argsort(-logits, kind="stable")
        return order[: max(self._top, int((logits >= self._threshold).sum()))]

    def _codes(self, row: int, text: str, prepared: Prepared, reading: Reading) -> list[Code]:
        """Return the codes of one note of a batch that was read."""
        logits = reading.logits[row]
        listed = self._listed(logits)
        attention = np.zeros((len(listed), len(prepared.ids)))
        if self._passages and len(listed):
            # States of padding, which some models see, lie behind those of the tokens.
            attention = reading.attention(row, listed)[:, : len(prepared.ids)]
        codes = []
        for label, probability, looked in zip(
            listed, self._calibration.probabilities(logits[listed]), attention, strict=True
        ):
            known = self.labels[label]
            weights = word_weights(looked, prepared.word_of_token, len(prepared.words))
            passages = find_passages(weights, prepared.words, text, self._passages)
            codes.append(
                Code(
                    known.code,
                    known.version,
                    known.kind,
                    known.title,
                    round(float(probability), 6),
                    bool(logits[label] >= self._threshold),
                    passages,
                )
            )
        return codes

    def _read(self, texts: list[str]) -> tuple[list[Prepared], Reading]:
        """Prepare and read one batch of texts."""
        prepared = prepare(texts, self._recipe, self._predictor.tokenizer, self.max_length)
        return prepared, self._predictor.read([one.ids for one in prepared])

    def logits(self, texts: list[str]) -> np.ndarray:
        """Return the logits [texts, codes] of one batch of texts, in label order."""
        _, reading = self._read(texts)
        return reading.logits

    def _code_worded(self, notes: list[Note]) -> list[CodedNote]:
        """Code notes that have a text."""
        prepared, reading = self._read([note.text for note in notes])
        return [
            CodedNote(
                note.note_id, len(one.ids), one.cut, self._codes(row, note.text, one, reading)
            )
            for row, (note, one) in enumerate(zip(notes, prepared, strict=True))
        ]

    def code(self, notes: list[Note]) -> list[CodedNote]:
        """Code one batch of notes; a note's codes do not depend on the others'."""
        worded = [note for note in notes if note.text.strip()]
        coded = iter(self._code_worded(worded) if worded else [])
        return [
            next(coded) if note.text.strip() else CodedNote(note.note_id, 0, False, [])
            for note in notes
        ]
