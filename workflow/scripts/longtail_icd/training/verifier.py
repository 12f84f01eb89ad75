"""A trained coder as a witness: how probable it finds codes for a note written for them."""

from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit

from longtail_icd.common.files import read_json
from longtail_icd.corpus.text_recipes import TEXT_RECIPES
from longtail_icd.training.inference import Predictor
from longtail_icd.training.tokenization import token_ids


class CoderVerifier:
    """Reads notes as the coder's own were prepared; a ``Verifier`` of the screening.

    Args:
        folder: a model folder.

    Raises:
        UserError: the folder holds no complete model.
    """

    def __init__(self, folder: str | Path):
        self._predictor = Predictor(Path(folder))
        settings = read_json(Path(folder) / "coder.json")
        self._recipe = TEXT_RECIPES[settings["text"]]
        self._max_length = settings["max_length"]

    def probabilities(self, text: str) -> dict[str, float]:
        """Return the probability (0 to 1) of each code of the coder's label list."""
        prepared = pl.select(self._recipe(pl.lit(text))).item()
        (ids,) = token_ids([prepared], self._predictor.tokenizer, self._max_length)
        (logits,) = self._predictor.logits([np.array(ids)])
        return dict(zip(self._predictor.codes, expit(logits).tolist(), strict=True))
