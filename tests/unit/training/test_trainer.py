"""Training ends with the best epoch, is reproducible, and its model folder predicts by itself."""

import json
import math

import numpy as np
import polars as pl
import pytest
import torch
from longtail_icd.common.errors import UserError
from longtail_icd.training.batches import LengthGroupedSampler
from longtail_icd.training.callbacks import EpochClock, epochs_without_gain
from longtail_icd.training.checkpoints import fingerprint
from longtail_icd.training.inference import predict
from longtail_icd.training.model_folder import (
    FILES,
    load_model,
    read_labels,
    read_titles,
    save_model,
)
from longtail_icd.training.tokenization import tokenize
from longtail_icd.training.trainer import CoderTrainer, training_arguments
from training_stage import (
    CODES,
    SEED,
    SETTINGS,
    TITLED,
    make_collator,
    make_encoder,
    make_model,
    make_notes,
    make_tokens,
    run_training,
)
from transformers import AutoTokenizer

KINDS = ["plm_icd", "gki_icd"]
CODER = {"text": "raw", "max_length": 32, "threshold": {"logit": -1.5, "kind": "micro_f1 on dev"}}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return make_encoder(tmp_path_factory.mktemp("encoder"))


def save(model, encoder, folder):
    save_model(model, AutoTokenizer.from_pretrained(encoder), TITLED, CODER, folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_training_is_reproducible_and_its_folder_is_complete(kind, encoder, tmp_path):
    logits = []
    for attempt in ("first", "second"):
        model, trained = run_training(encoder, tmp_path / attempt / "checkpoints", kind=kind)
        folder = save(model, encoder, tmp_path / attempt / "model")
        logits.append(predict(folder, make_tokens(), batch_size=5))
        assert {"loss", "eval_map", "eval_micro_f1"} <= set(trained.history["metric"])
        assert trained.history.filter(metric="eval_map")["step"].to_list() == [3, 6, 8]
        assert math.isfinite(trained.threshold)
        assert read_labels(folder) == CODES
        assert json.loads((folder / "coder.json").read_text()) == CODER
        assert read_titles(folder) == TITLED
        assert {*FILES, "titles.json"} == {path.name for path in folder.iterdir()}
    assert np.array_equal(logits[0], logits[1])
    assert np.isfinite(logits[0]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_trainer_overfits_eight_notes_to_an_f1_of_one(kind, encoder, tmp_path):
    settings = SETTINGS | {"learning_rate": 5e-3, "select_on": "micro_f1"}
    notes = make_notes(8)
    _, trained = run_training(
        encoder, tmp_path, settings, kind, steps=120, notes=notes, order="concatenate"
    )
    assert trained.history.filter(metric="eval_micro_f1")["value"].max() == 1.0


@pytest.mark.parametrize("select_on", ["map", "micro_f1", "last"])
def test_weights_and_threshold_are_those_of_the_chosen_epoch(select_on, encoder, tmp_path):
    settings = SETTINGS | {"select_on": select_on, "learning_rate": 3e-2}
    model, trained = run_training(encoder, tmp_path / "run", settings)
    scores = trained.history.filter(metric=f"eval_{select_on}")
    best = 8 if select_on == "last" else scores["step"][scores["value"].arg_max()]
    assert trained.step == best
    logits = predict(save(model, encoder, tmp_path / "model"), make_tokens(6), 4)
    gold = np.zeros((6, 3), dtype=bool)
    gold[np.arange(6), np.arange(6) % 3] = True
    found = logits >= trained.threshold
    f1 = 2 * (found & gold).sum() / (found.sum() + gold.sum())
    measured = trained.history.filter(metric="eval_micro_f1", step=best)["value"].item()
    assert f1 == pytest.approx(measured)


def test_training_stops_early_after_epochs_without_a_gain(encoder, tmp_path):
    settings = SETTINGS | {"early_stopping": 2, "learning_rate": 1e-9}
    _, trained = run_training(encoder, tmp_path, settings, steps=30)
    # The first epoch is the best: nothing changes. Two more without a gain, and that is it.
    assert trained.history.filter(metric="eval_map")["step"].to_list() == [3, 6, 9]
    assert trained.step == 3


def test_a_tie_is_no_gain():
    log = [{"eval_map": value} for value in (0.1, 0.3, 0.3, 0.2)] + [{"loss": 1.0}]
    assert epochs_without_gain(log, "eval_map") == 2
    assert epochs_without_gain(log[:2], "eval_map") == 0
    assert epochs_without_gain([], "eval_map") == 0


class Gradients(CoderTrainer):
    """Keeps what would have been the optimizer's gradients, step by step."""

    def __init__(self, **kwargs):
        self.kept = []
        super().__init__(**kwargs)

    def create_optimizer(self, *args, **kwargs):
        optimizer = super().create_optimizer(*args, **kwargs)
        keep = lambda *_: self.kept.append(  # noqa: E731
            {name: value.grad.clone() for name, value in self.model.named_parameters()}
        )
        optimizer.register_step_pre_hook(keep)
        return optimizer


def gradients(encoder, kind, micro_batch, folder):
    """Return every step's gradients over one epoch of ten notes of unequal weights."""
    changes = {"gradient_clip": None, "learning_rate": 0.0, "select_on": "last"}
    settings = SETTINGS | changes | {"micro_batch": micro_batch}
    model = make_model(encoder, kind, settings)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = 0.0
    collator = make_collator(encoder, kind)
    notes = make_notes(10, np.array([1.0, 0.25, 1.0, 2.0, 1.0, 1.0, 0.5, 1.0, 3.0, 1.0]))
    sampler = LengthGroupedSampler(notes.lengths, 4, SEED)
    trainer = Gradients(
        sampler=sampler,
        model=model,
        args=training_arguments(settings, 3, SEED, folder),
        train_dataset=notes,
        eval_dataset=notes,
        data_collator=collator,
        callbacks=[EpochClock(collator, sampler)],
    )
    trainer.train()
    return trainer.kept, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.parametrize("kind", KINDS)
def test_accumulated_gradients_are_those_of_the_whole_batch(kind, encoder, tmp_path):
    """Also of the last batch: two notes of four, in one part where the others have two or four."""
    whole, loss = gradients(encoder, kind, None, tmp_path)
    assert len(whole) == 3
    for micro_batch in (1, 2):
        parts, same_loss = gradients(encoder, kind, micro_batch, tmp_path)
        assert same_loss == pytest.approx(loss, rel=1e-5)
        for step, (one, other) in enumerate(zip(whole, parts, strict=True)):
            for name, gradient in one.items():
                assert torch.allclose(gradient, other[name], atol=1e-6), (step, name)


def test_clipping_is_on_at_its_norm_and_off_with_null(tmp_path):
    on = training_arguments(SETTINGS | {"gradient_clip": 0.5}, 3, 1, tmp_path)
    off = training_arguments(SETTINGS | {"gradient_clip": None}, 3, 1, tmp_path)
    assert (on.max_grad_norm, off.max_grad_norm) == (0.5, 0.0)


@pytest.mark.parametrize("name", sorted(FILES))
def test_prediction_refuses_an_incomplete_folder(name, encoder, tmp_path):
    folder = save(make_model(encoder, "plm_icd"), encoder, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(UserError, match=rf"no {name} \(.*\): not a complete model folder"):
        load_model(folder)


def test_prediction_refuses_a_model_with_the_label_list_of_another(encoder, tmp_path):
    folder = save(make_model(encoder, "plm_icd"), encoder, tmp_path / "model")
    (folder / "labels.json").write_text(json.dumps([*CODES, "004.0"]))
    with pytest.raises(UserError, match="a model of 3 codes, but the label space has 4"):
        load_model(folder)


def test_prediction_refuses_broken_weights(encoder, tmp_path):
    folder = save(make_model(encoder, "plm_icd"), encoder, tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(UserError, match=r"model.safetensors: cannot be read"):
        load_model(folder)


def test_tokens_have_marks_and_labels_of_the_label_space_only(encoder):
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    notes = pl.DataFrame(
        {"note_id": ["0", "1"], "text": ["typhoid", "cholera"], "anchor": [None, None]},
        schema_overrides={"anchor": pl.String},
    )
    labels = pl.DataFrame({"note_id": ["0", "1", "0"], "code": ["002.0", "001.0", "999.9"]})
    tokens = tokenize(notes, labels, CODES, tokenizer, 32)
    assert tokens["label_ids"].to_list() == [[1], [0]]
    first = tokens["input_ids"][0]
    assert (first[0], first[-1]) == (tokenizer.bos_token_id, tokenizer.eos_token_id)


def test_fingerprint_follows_settings_and_contents(tmp_path):
    file = tmp_path / "tokens"
    file.write_text("a")
    before = fingerprint(SETTINGS, [file])
    assert fingerprint(dict(reversed(SETTINGS.items())), [file]) == before
    assert fingerprint(SETTINGS | {"epochs": 4}, [file]) != before
    file.write_text("b")
    assert fingerprint(SETTINGS, [file]) != before
