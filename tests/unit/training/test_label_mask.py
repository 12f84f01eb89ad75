"""What a note's weight and its masked labels do to the loss, from the note to the gradient."""

import numpy as np
import polars as pl
import pytest
import torch
from longtail_icd.training.batches import Collator, LengthGroupedSampler, TokenDataset, concatenate
from longtail_icd.training.encoder import train_tokenizer
from longtail_icd.training.gki_icd import GkiIcd, GkiIcdConfig
from longtail_icd.training.losses import (
    evidence_distance,
    rdrop_bernoulli,
    rdrop_softmax,
    weighted_bce,
)
from longtail_icd.training.plm_icd import PlmIcd, PlmIcdConfig
from training_stage import NETWORK


def test_a_masked_label_adds_nothing_and_the_others_weigh_as_before():
    logits = torch.tensor([[0.0, 3.0], [0.0, 0.0]])
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    mask = torch.tensor([[True, False], [True, True]])
    # Note 1: log 2 of two labels; note 2: both labels log 2. Mean over notes of sums over L.
    expected = (np.log(2) / 2 + np.log(2)) / 2
    assert weighted_bce(logits, targets, None, mask).item() == pytest.approx(expected)
    weights = torch.tensor([3.0, 1.0])
    expected = (3 * np.log(2) / 2 + np.log(2)) / 4
    assert weighted_bce(logits, targets, weights, mask).item() == pytest.approx(expected)


@pytest.mark.parametrize("term", [rdrop_softmax, rdrop_bernoulli])
def test_a_note_of_weight_zero_is_not_in_any_term(term):
    torch.manual_seed(0)
    first, second = torch.randn(2, 5), torch.randn(2, 5)
    weights = torch.tensor([2.0, 0.0])
    assert term(first, second, weights).item() == pytest.approx(term(first[:1], second[:1]).item())
    assert term(first, second, torch.zeros(2)).item() == 0.0


def test_evidence_distance_is_a_mean_over_notes_of_means_over_gold_labels():
    # Cosines of note 1: 1 and 0; of note 2: -1. Published: one note per batch, so notes are equal.
    note = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]]])
    guideline = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[-1.0, 0.0], [0.0, 1.0]]])
    targets = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    assert evidence_distance(note, guideline, targets).item() == pytest.approx((0.5 + 2) / 2)
    weights = torch.tensor([3.0, 1.0])
    weighted = evidence_distance(note, guideline, targets, weights).item()
    assert weighted == pytest.approx((3 * 0.5 + 2) / 4)


@pytest.mark.parametrize("kind", [PlmIcd, GkiIcd])
def test_no_gradient_reaches_a_label_through_a_note_that_masks_it(kind):
    torch.manual_seed(0)
    config = {PlmIcd: PlmIcdConfig, GkiIcd: GkiIcdConfig}[kind]
    model = kind(config(encoder=NETWORK, labels=3, chunk=8)).train()
    ids, lengths = concatenate([np.arange(5, 11)])
    targets, label_mask = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[True, True, False]])
    guided = {"guideline_ids": ids, "guideline_lengths": lengths} if kind is GkiIcd else {}
    model(ids, lengths, targets, torch.ones(1), label_mask, **guided).loss.backward()
    assert model.classifier.grad[2].abs().max() == 0
    assert model.classifier.grad[:2].abs().amax(dim=1).min() > 0


def test_the_collator_masks_a_note_s_own_labels_and_a_blank_counts_for_nothing():
    tokenizer = train_tokenizer(["text"], 300)
    tokens = pl.DataFrame(
        {"input_ids": [[0, 2], [0, 7, 2]], "label_ids": [[0], [1]], "masked_ids": [[2, 1], []]},
        schema_overrides={"masked_ids": pl.List(pl.Int32)},
    )
    notes = TokenDataset(tokens, np.array([0.5, 1.0]))
    batch = Collator(3, tokenizer)([notes[0], notes[1], notes[2]])
    assert batch["label_mask"].tolist() == [[True, False, False], [True] * 3, [True, False, False]]
    assert batch["weights"].tolist() == [0.5, 1.0, 0.0]
    unmasked = TokenDataset(tokens.with_columns(masked_ids=pl.lit([], dtype=pl.List(pl.Int32))))
    assert "label_mask" not in Collator(3, tokenizer)([unmasked[0]])


def test_the_sampler_fills_the_last_batch_up_with_blanks_and_takes_an_epoch_s_visits():
    sampler = LengthGroupedSampler(np.arange(10), batch_size=4, seed=1, multiple=4)
    order = list(sampler)
    assert len(sampler) == len(order) == 12
    assert sorted(order[:10]) == list(range(10))
    assert order[10:] == [10, 11]
    visited = LengthGroupedSampler(
        np.arange(6), batch_size=2, seed=1, visits=lambda epoch: np.array([epoch] * 2 + [5] * 4)
    )
    visited.set_epoch(3)
    assert sorted(visited) == [3, 3, 5, 5, 5, 5]
