"""Training ends with the best epoch, is reproducible, and its model folder predicts by itself."""

import numpy as np
import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.training.batches import Collator, TokenDataset
from longtail_icd.training.build import build_model
from longtail_icd.training.checkpoints import fingerprint
from longtail_icd.training.encoder import prepare_encoder
from longtail_icd.training.guideline import Guidelines
from longtail_icd.training.inference import predict
from longtail_icd.training.model_folder import read_labels, save_model
from longtail_icd.training.tokenization import tokenize
from longtail_icd.training.trainer import train
from transformers import AutoTokenizer

CODES = ["001.0", "002.0", "003.0"]
WORDS = {"001.0": "cholera", "002.0": "typhoid", "003.0": "salmonella"}
SETTINGS = {
    "epochs": 2,
    "learning_rate": 1e-3,
    "warmup_ratio": 0.1,
    "weight_decay": 0.0,
    "batch_size": 4,
    "gradient_clip": 1.0,
    "precision": "fp32",
    "select_on": "map",
    "description_init": True,
    "description_tokens": 8,
    "rdrop_alpha": 1.0,
    "rdrop_kind": "softmax",
    "similarity_lambda": 0.5,
}
ENCODER = {
    "source": "scratch",
    "vocabulary": 300,
    "hidden_size": 16,
    "layers": 1,
    "heads": 2,
    "seed": 1,
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Return encoder folder, tokenizer and the tokens of a dozen notes."""
    folder = tmp_path_factory.mktemp("encoder")
    chosen = [CODES[i % 3] for i in range(12)]
    texts = [f"Patient {i} had {WORDS[code]} and recovered." for i, code in enumerate(chosen)]
    prepare_encoder(texts, ENCODER, 16, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = [str(i) for i in range(12)]
    notes = pl.DataFrame(
        {"note_id": ids, "text": texts, "anchor": [None] * 12},
        schema_overrides={"anchor": pl.String},
    )
    labels = pl.DataFrame({"note_id": [*ids, "0"], "code": [*chosen, "999.9"]})
    return folder, tokenizer, tokenize(notes, labels, CODES, tokenizer, 32)


def _train(kind, prepared, checkpoints):
    folder, tokenizer, tokens = prepared
    titles = list(WORDS.values())
    model = build_model(kind, str(folder), tokenizer, titles, SETTINGS, 16, seed=3)
    guidelines = None
    if kind == "gki_icd":
        taxonomy = pl.DataFrame(
            {
                "version": "icd9cm",
                "code": CODES,
                "title": titles,
                "chapter": "c",
                "block": "b",
                "category": CODES,
            }
        )
        synonyms = pl.DataFrame({"version": "icd9cm", "code": ["001.0"], "synonym": ["vibrio"]})
        guidelines = Guidelines(taxonomy, titles, taxonomy, synonyms)
    collator = Collator(3, tokenizer, guidelines, seed=3)
    notes = TokenDataset(tokens.with_columns(guideline_labels="label_ids"))
    dev = TokenDataset(tokens)
    steps = 5  # of batches of 4 of 12 notes: the second epoch ends early
    return model, train(model, notes, dev, collator, SETTINGS, steps, 3, checkpoints)


@pytest.mark.parametrize("kind", ["plm_icd", "gki_icd"])
def test_training_is_reproducible_and_its_folder_is_complete(kind, prepared, tmp_path):
    _, tokenizer, tokens = prepared
    logits = []
    for attempt in ("first", "second"):
        model, history = _train(kind, prepared, tmp_path / attempt / "checkpoints")
        folder = tmp_path / attempt / "model"
        save_model(model, tokenizer, CODES, folder)
        logits.append(predict(folder, tokens, batch_size=5))
        assert {"loss", "eval_map", "eval_micro_f1"} <= set(history["metric"])
        assert history.filter(metric="eval_map")["step"].to_list() == [3, 5]
        assert read_labels(folder) == CODES
    assert np.array_equal(logits[0], logits[1])
    assert np.isfinite(logits[0]).all()


def test_prediction_refuses_an_incomplete_folder(prepared, tmp_path):
    with pytest.raises(UserError, match=r"no config.json: not a complete model folder"):
        predict(tmp_path, prepared[2], 4)


def test_tokens_have_marks_and_labels_of_the_label_space_only(prepared):
    _, tokenizer, tokens = prepared
    assert tokens["label_ids"].to_list()[:3] == [[0], [1], [2]]
    first = tokens["input_ids"][0]
    assert (first[0], first[-1]) == (tokenizer.bos_token_id, tokenizer.eos_token_id)


def test_fingerprint_follows_settings_and_contents(tmp_path):
    file = tmp_path / "tokens"
    file.write_text("a")
    before = fingerprint(SETTINGS, [file])
    assert fingerprint(dict(reversed(SETTINGS.items())), [file]) == before
    assert fingerprint(SETTINGS | {"epochs": 3}, [file]) != before
    file.write_text("b")
    assert fingerprint(SETTINGS, [file]) != before
