"""What an untrained model knows: as published of its titles nothing it can use; aligned, a lot."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from longtail_icd.training.batches import concatenate
from longtail_icd.training.description_init import (
    align_with_titles,
    initialise_as_published,
    label_shares,
    set_prior,
)
from longtail_icd.training.model_folder import MODELS
from training_stage import NETWORK as TINY
from training_stage import SETTINGS, make_encoder, make_model, make_notes

LABELS = 5
NETWORK = TINY | {"hidden_size": 64}  # enough directions for five titles to lie apart


def sequences(*lengths):
    generator = np.random.default_rng(1)
    return [torch.from_numpy(generator.integers(5, 50, length)) for length in lengths]


def new_model(kind="plm_ca", **settings):
    torch.manual_seed(0)
    model = MODELS[kind]
    return model(model.config_class(encoder=NETWORK, labels=LABELS, chunk=8, **settings)).eval()


@torch.no_grad()
def states_of(model, ids):
    return model.encoder(input_ids=ids[None]).last_hidden_state[0]


def test_as_published_a_label_is_the_max_over_its_titles_tokens():
    model, titles = new_model("gki_icd"), sequences(3, 5, 2, 4, 6)
    initialise_as_published(model, titles, 8)
    assert torch.allclose(model.queries[0], states_of(model, titles[0]).amax(dim=0), atol=1e-5)
    assert torch.equal(model.queries, model.classifier)


def test_as_published_without_masks_padding_is_pooled_too():
    """Every title is padded to the same length, and what its padding shows takes part."""
    model, titles = new_model(mask_padding=False), sequences(3, 5, 2, 4, 6)
    before = {name: weight.clone() for name, weight in model.encoder.state_dict().items()}
    initialise_as_published(model, titles, 6)
    ids = torch.tensor([[*titles[0].tolist(), 1, 1, 1]])
    with torch.no_grad():
        states = model.encoder(input_ids=ids, attention_mask=(ids != 1).long()).last_hidden_state
    assert torch.allclose(model.queries[0], states[0].amax(dim=0), atol=1e-5)
    assert not torch.allclose(model.queries[0], states[0, :3].amax(dim=0), atol=1e-3)
    for name, weight in model.encoder.state_dict().items():
        assert torch.equal(weight, before[name]), name  # it reads the encoder and no more


def test_aligned_an_untrained_label_looks_for_its_titles_tokens_and_decides_by_them():
    model, titles = new_model(), sequences(6, 7, 6, 7, 8)
    examples = [note.numpy() for note in sequences(20, 9)]
    align_with_titles(model, titles, examples)
    # Chunks of 8, and every token counts once.
    chunks = [chunk for note in examples for chunk in torch.from_numpy(note).split(8)]
    middle = torch.cat([states_of(model, chunk) for chunk in chunks]).mean(dim=0)
    inner = states_of(model, titles[1])[1:-1].mean(dim=0)
    assert torch.allclose(model.queries[1], inner - middle, atol=1e-5)
    sharpness = model.keys.weight[0, 0]
    assert torch.equal(model.keys.weight, sharpness * torch.eye(64))
    # Where a label saw nothing but its title, no other label is more certain.
    seen = F.layer_norm(model.values(inner[None]), (64,))
    logits = (model.classifier * seen).sum(dim=1)
    assert logits.argmax() == 1
    assert logits[1].item() == pytest.approx(20.0, rel=1e-3)


def test_aligned_an_untrained_model_finds_the_note_that_repeats_a_title():
    model = new_model()
    titles = torch.arange(5, 40).split(7)  # no two share a word
    notes = [torch.cat([title[1:-1], torch.arange(40, 50)]).numpy() for title in titles]
    align_with_titles(model, titles, notes)
    set_prior(model, notes, torch.full((LABELS,), 0.2))
    with torch.no_grad():
        logits = torch.cat([model(*concatenate([note])).logits for note in notes])
    assert logits.argmax(dim=0).tolist() == list(range(LABELS))


def test_the_mean_probability_is_a_codes_share():
    """However far a label's logits lie apart: the mean logit would make it many times too high."""
    model = new_model()
    notes = [note.numpy() for note in sequences(12, 30, 5)]
    shares = torch.tensor([0.5, 0.1, 0.9, 0.001, 0.25])
    with torch.no_grad():
        model.classifier.mul_(50)
    set_prior(model, notes, shares)
    with torch.no_grad():
        logits = torch.cat([model(*concatenate([note])).logits for note in notes])
    assert logits.std(dim=0).max() > 1
    assert torch.allclose(logits.sigmoid().mean(dim=0), shares, rtol=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_labels_are_aligned_as_on_a_cpu():
    titles, notes = sequences(6, 7, 6, 7, 8), [note.numpy() for note in sequences(20, 9)]
    found = []
    for device in ("cpu", "cuda"):
        model = new_model().to(device)
        align_with_titles(model, [title.to(device) for title in titles], notes)
        set_prior(model, notes, torch.full((LABELS,), 0.2))
        found.append({name: weight.cpu() for name, weight in model.state_dict().items()})
    for name, weight in found[0].items():
        assert torch.allclose(weight, found[1][name], rtol=1e-3, atol=1e-3), name


def test_a_code_without_a_note_has_half_a_note():
    # Ten notes with one of three codes each: 4, 3, 3.
    expected = [4.5 / 11, 3.5 / 11, 3.5 / 11, 0.5 / 11]
    assert label_shares(make_notes(), 4).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["plm_icd", "gki_icd"])
def test_the_configuration_chooses_and_leaves_plm_icd_alone(kind, tmp_path):
    encoder = make_encoder(tmp_path)
    made = {
        choice: make_model(encoder, kind, SETTINGS | {"description_init": choice})
        for choice in ("none", "published", "aligned")
    }
    queries = {choice: model.queries for choice, model in made.items()}
    differ = kind == "gki_icd"
    assert torch.equal(queries["none"], queries["published"]) != differ
    assert torch.equal(queries["published"], queries["aligned"]) != differ
