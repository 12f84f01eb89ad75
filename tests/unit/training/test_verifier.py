"""A trained coder says of notes what it says when it is scored, and screening hears it."""

import numpy as np
import polars as pl
import pytest
import torch
from longtail_icd.common.errors import UserError
from longtail_icd.generation.screening.context import ScreenContext
from longtail_icd.generation.screening.facts import learn_facts
from longtail_icd.generation.screening.screen import make_screen
from longtail_icd.training.inference import predict
from longtail_icd.training.model_folder import Label, save_model
from longtail_icd.training.tokenization import tokenize
from longtail_icd.training.verifier import CoderVerifier
from screening_examples import OFF, draft, fidelity, request
from training_stage import make_encoder, make_model
from transformers import AutoTokenizer

CODES = ["135", "401.9", "486"]
TEXT = "Typhoid FEVER, then cholera for 7 days."


@pytest.fixture
def folder(tmp_path):
    """Return a model folder that knows three codes and reads notes as Mullenbach et al. do."""
    torch.set_num_threads(1)
    encoder = make_encoder(tmp_path)
    coder = {"text": "mullenbach", "max_length": 16, "threshold": {"logit": 0.0}}
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    labels = [Label("icd9cm", code, "diagnosis", code) for code in CODES]
    save_model(make_model(encoder, "plm_icd"), tokenizer, labels, coder, tmp_path / "model")
    return tmp_path / "model"


def test_probabilities_are_those_of_the_prepared_note_when_it_is_scored(folder):
    notes = pl.DataFrame(
        {"note_id": "1", "text": "typhoid fever then cholera for days", "anchor": None},
        schema_overrides={"anchor": pl.String},
    )
    labels = pl.DataFrame(schema={"note_id": pl.String, "code": pl.String})
    tokens = tokenize(notes, labels, CODES, AutoTokenizer.from_pretrained(folder), 16)
    (logits,) = predict(folder, tokens, 1)
    said = CoderVerifier(folder).probabilities(TEXT)
    assert list(said) == CODES
    assert np.allclose(list(said.values()), 1 / (1 + np.exp(-logits)), atol=1e-6)
    assert said != CoderVerifier(folder).probabilities("Salmonella.")


def test_a_note_without_words_has_probabilities_too(folder):
    assert set(CoderVerifier(folder).probabilities("7.")) == set(CODES)


def test_a_folder_without_weights_is_no_verifier(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"no model\.safetensors"):
        CoderVerifier(folder)


def test_codes_at_the_threshold_have_evidence_and_those_below_do_not(folder):
    verifier = CoderVerifier(folder)
    certain = verifier.probabilities(TEXT)["135"]

    def reasons(threshold):
        settings = OFF | {"missing_code": 0.0, "verifier": threshold}
        context = ScreenContext(train=learn_facts([], fidelity()), verifier=verifier)
        return make_screen(settings, context).assess(request(["135"]), draft(TEXT)).reasons

    assert reasons(certain) == []
    assert reasons(min(certain * 1.001, 1.0)) == ["missing_code"]
    assert reasons(None) == ["missing_code"]
