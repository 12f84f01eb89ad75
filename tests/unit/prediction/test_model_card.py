"""A model card says what the run says: data, scores, licence; nothing of the machine."""

import polars as pl
import pytest
from huggingface_hub import ModelCard
from longtail_icd.common.tables import TABLES
from longtail_icd.prediction.model_card import encoder_in_words, model_card

RUN = {"corpus": "mine", "model": "gki_icd", "train_set": "extended", "seed": 1, "split": "test",
       "threshold_kind": "micro_f1", "support": 90, "ci_method": None}  # fmt: skip
ROWS = [
    ("all", "micro_f1", 0.5, 0.45, 0.55),
    ("few_shot", "micro_f1", 0.125, 0.1, 0.15),
    ("zero_shot", "micro_f1", None, None, None),
    ("all", "map", 0.625, None, None),
    ("all", "labels_outside_label_space", 3.0, None, None),
]
METRICS = pl.DataFrame(
    [
        {**RUN, "tier": tier, "metric": metric, "value": value, "ci_low": low, "ci_high": high}
        for tier, metric, value, low, high in ROWS
    ],
    schema=TABLES["evaluation/metrics"].columns,
)
SPLITS = {"train": 60, "dev": 6, "test": 30}
MANIFEST = {"documents": SPLITS, "patients": SPLITS, "labels": SPLITS}
TIERS = pl.DataFrame({"code": ["1", "2", "3"], "tier": ["few_shot", "head", "few_shot"]})
ENCODER = {
    "source": "scratch",
    "name": None,
    "revision": None,
    "archive": {"url": None},
    "pretraining": None,
}
ACCOUNTS = {"paper": {"notes": {"ok": 41, "rejected": 2}, "models": {"offline": 43}}}


def config(path, adapter="mimic3"):
    return {
        "corpus": {"name": "mine", "adapter": adapter, "path": path, "language": "en",
                   "label_space": "train"},
        "terminology": {"umls": None},
        "encoder": ENCODER,
        "evaluation": {"bootstrap": {"confidence": 0.95}},
    }  # fmt: skip


def card(trained, path=None, accounts=ACCOUNTS):
    return model_card(trained, METRICS, MANIFEST, TIERS, accounts, config(path))


def test_the_card_holds_the_runs_own_figures(trained):
    text = card(trained)
    data = ModelCard(text).data
    results = {one.metric_name: one.metric_value for one in data.eval_results}
    assert results == {"pooled F1, all codes": 0.5, "pooled F1, few-shot codes": 0.125}
    assert data.license == "mit" and data.model_name == "mine-gki-icd-extended-seed1"
    assert "| few-shot | 90 | 12.5 [10.0, 15.0] |" in text and "| MAP | 62.5 |" in text
    assert "| train | 60 | 60 | 60 |" in text and "| paper | 41 | offline |" in text
    assert "Options: " in text and "weight 1.0" in text and "steps_of None" in text
    assert "2 few-shot" in text and "GKI-ICD: 3 codes (icd9cm)" in text
    assert "| epochs | 12 |" in text and "platt on dev" in text and "torch" in text
    assert "outside" not in text


def test_only_a_simulated_corpus_is_called_simulated(trained):
    assert "The corpus is simulated" in card(trained) and "Do not upload" not in card(trained)
    restricted = card(trained, "/data/secret/mimic3")
    assert "simulated" not in restricted and "Do not upload" in restricted
    assert "PhysioNet" in ModelCard(restricted).data.license_name
    assert "# MIMIC-III-Ext-gki-icd-extended-seed1\n" in restricted
    assert "/data" not in restricted and str(trained) not in restricted


def test_a_train_set_without_synthetic_notes_says_so(trained):
    text = card(trained, accounts={})
    assert "all train notes and nothing else." in text and "Options" not in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "a RoBERTa with random weights, its vocabulary from the train notes"),
        ({"source": "pretrained", "name": "/models/encoder"}, "`encoder`"),
        ({"source": "pretrained", "name": "o/name", "revision": "ab"}, "`o/name` at revision ab"),
        ({"source": "pretrained", "archive": {"url": "https://x.org/a/e.tar.gz"}}, "`e.tar.gz`"),
        ({"pretraining": {"epochs": 1}}, "a RoBERTa with random weights, its vocabulary from the "
         "train notes; pre-trained further on the train notes"),
    ],
)  # fmt: skip
def test_an_encoder_is_named_without_its_place_on_this_machine(changes, words):
    assert encoder_in_words(ENCODER | changes) == words
