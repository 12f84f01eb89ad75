"""A note's score depends on the note alone; the models learn, save and load."""

import numpy as np
import pytest
import torch
from longtail_icd.training.attention import label_attention
from longtail_icd.training.batches import LengthGroupedSampler, concatenate
from longtail_icd.training.losses import rdrop_bernoulli, rdrop_softmax, weighted_bce
from longtail_icd.training.model_folder import MODELS
from training_stage import NETWORK


def _model(kind, **settings):
    torch.manual_seed(0)
    model = MODELS[kind]
    return model(model.config_class(encoder=NETWORK, labels=5, chunk=8, **settings))


def _notes(*lengths):
    generator = np.random.default_rng(1)
    return [generator.integers(5, 50, length) for length in lengths]


@pytest.mark.parametrize("kind", ["plm_icd", "plm_ca", "gki_icd"])
def test_a_note_scores_the_same_alone_and_beside_a_longer_one(kind):
    model = _model(kind).eval()
    short, long = _notes(13, 61)
    with torch.no_grad():
        alone = model(*concatenate([short])).logits
        together = model(*concatenate([short, long])).logits
    assert torch.allclose(alone[0], together[0], atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-3)


@pytest.mark.parametrize("kind", ["plm_icd", "plm_ca", "gki_icd"])
def test_save_and_load_give_the_same_logits(kind, tmp_path):
    model = _model(kind).eval()
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path).eval()
    batch = concatenate(_notes(20))
    with torch.no_grad():
        assert torch.allclose(model(*batch).logits, again(*batch).logits, atol=1e-6)


@pytest.mark.parametrize("kind", ["plm_icd", "plm_ca", "gki_icd"])
def test_model_can_learn_eight_notes_by_heart(kind):
    model = _model(kind).train()
    ids, lengths = concatenate(_notes(*range(10, 26, 2)))
    targets = torch.zeros(8, 5)
    targets[torch.arange(8), torch.arange(8) % 5] = 1.0
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(150):
        loss = model(ids, lengths, targets).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        predicted = model.eval()(ids, lengths).logits > 0
    assert (predicted == targets.bool()).all()


def test_label_attention_by_hand():
    keys = torch.tensor([[0.0], [float(np.log(3.0))], [9.0]])
    values = torch.tensor([[1.0], [5.0], [100.0]])
    first, second = label_attention(torch.tensor([[1.0]]), keys, values, [2, 1])
    # Weights 1/4 and 3/4; the token of the other note has none.
    assert first.item() == pytest.approx(4.0)
    assert second.item() == 100.0


def test_losses_by_hand():
    zeros = torch.zeros(2, 2)
    assert weighted_bce(zeros, zeros, None).item() == pytest.approx(np.log(2))
    logits, targets = torch.tensor([[0.0], [50.0]]), torch.tensor([[1.0], [1.0]])
    weighted = weighted_bce(logits, targets, torch.tensor([1.0, 3.0])).item()
    assert weighted == pytest.approx(np.log(2) / 4)
    a, b = torch.tensor([[0.0, np.log(3.0)]]), torch.zeros(1, 2)
    # p = (1/4, 3/4), q = (1/2, 1/2): both directions, halved, over two labels.
    kl = 0.25 * np.log(0.5) + 0.75 * np.log(1.5) + 0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    assert rdrop_softmax(a, b).item() == pytest.approx(kl / 4)
    assert rdrop_bernoulli(a, b).item() == pytest.approx(0.25 * np.log(3) / 4)
    assert rdrop_softmax(a, a).item() == 0


def test_sampler_loses_no_note_and_changes_with_the_epoch():
    sampler = LengthGroupedSampler(np.arange(103) % 17, batch_size=4, seed=3, group=5)
    first = list(sampler)
    assert sorted(first) == list(range(103))
    assert first == list(sampler)
    sampler.set_epoch(1)
    assert first != list(sampler)
