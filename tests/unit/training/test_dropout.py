"""Dropout on a CPU drops with its chance, scales what is left, and is drawn by torch's seed."""

import pytest
import torch
from longtail_icd.training.coder import encoder_from
from longtail_icd.training.dropout import ATTENTION, CpuDropout, kept, use_cpu_dropout
from torch import nn

SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "pad_token_id": 1,
    "attention_dropout": 0.3,
}


def test_masks_have_their_chance_and_follow_torch_s_seed():
    shape = torch.Size([1001, 333])
    torch.manual_seed(1)
    first, second = kept(shape, 0.1), kept(shape, 0.1)
    # 333,333 draws: four standard deviations are 0.002; pairs are independent.
    assert first.float().mean().item() == pytest.approx(0.9, abs=0.002)
    assert (first & second).float().mean().item() == pytest.approx(0.81, abs=0.003)
    torch.manual_seed(1)
    assert torch.equal(kept(shape, 0.1), first)
    assert kept(shape, 0.0).all()


def test_dropout_scales_what_it_keeps_and_its_gradient():
    torch.manual_seed(1)
    states = torch.ones(100, 100, requires_grad=True)
    dropout = CpuDropout(0.25)
    found = dropout(states)
    assert found.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    found.sum().backward()
    assert torch.equal(states.grad, found.detach())
    assert torch.equal(dropout.eval()(states), states)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", ["roberta", "bert", "modernbert"])
def test_an_encoder_drops_everywhere_and_on_average_as_before(kind, masked):
    """The mean over many passes is what torch's own dropout gives, and other than without."""
    torch.manual_seed(1)
    encoder = encoder_from({"model_type": kind, **SIZES})
    ids = torch.randint(5, 50, (400, 6)).mul(0) + torch.arange(5, 11)
    mask = (torch.arange(6) < 4).long().expand(400, 6) if masked else None

    def mean(model):
        with torch.no_grad():
            states = model(input_ids=ids, attention_mask=mask).last_hidden_state
        return states[:, :4].mean(dim=0), states[:, :4].std(dim=0)

    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.3
    expected, spread = mean(encoder.train())
    exact, _ = mean(encoder.eval())
    use_cpu_dropout(encoder)
    assert encoder.config._attn_implementation == ATTENTION
    assert not [module for module in encoder.modules() if type(module) is nn.Dropout]
    found, found_spread = mean(encoder.train())
    error = (2 / 400) ** 0.5 * spread
    assert ((found - expected).abs() < 5 * error + 1e-6).all()
    assert torch.allclose(found_spread, spread, rtol=0.35, atol=1e-3)
    assert found_spread.max() > 0.01
    assert torch.allclose(mean(encoder.eval())[0], exact, atol=1e-5)
