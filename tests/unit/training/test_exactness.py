"""In double precision every model is its published formula, in logits and in gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from longtail_icd.training.batches import concatenate
from longtail_icd.training.model_folder import MODELS

CHUNK, LABELS = 8, 6
SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "pad_token_id": 1,
}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
ENCODERS = {
    "roberta": {"max_position_embeddings": CHUNK + 2, "type_vocab_size": 1, **NO_DROPOUT},
    "bert": {"max_position_embeddings": CHUNK, **NO_DROPOUT},
    # Layer 0 sees the whole chunk, layer 1 two tokens to each side.
    "modernbert": {"local_attention": 4, "global_attn_every_n_layers": 2},
}
LENGTHS = [13, 8, 3, 24, 1, 19]


def make_model(kind, encoder="roberta", **settings):
    """Return a model of random weights, large enough for every term to matter."""
    torch.manual_seed(0)
    config = {"model_type": encoder, **SIZES, **ENCODERS[encoder]}
    model = MODELS[kind]
    model = model(model.config_class(encoder=config, labels=LABELS, chunk=CHUNK, **settings))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model.double().train()


def make_notes(lengths=LENGTHS, seed=1):
    generator = np.random.default_rng(seed)
    return [torch.from_numpy(generator.integers(5, 50, length)) for length in lengths]


def make_targets():
    chances = torch.rand(len(LENGTHS), LABELS, generator=torch.Generator().manual_seed(2))
    return (chances < 0.4).double()


def attend(kind, model, hidden, mask):
    """Return the label vectors [L, d] of a note's states [T, d] by the published formulas."""
    if kind == "plm_icd":
        z = torch.tanh(hidden @ model.first.weight.T)
        scores, values = model.queries @ z.T, hidden
    else:
        scores = model.queries @ (hidden @ model.keys.weight.T).T
        values = hidden @ model.values.weight.T + model.values.bias
    vectors = scores.masked_fill(~mask, float("-inf")).softmax(dim=1) @ values
    if kind == "plm_icd":
        return vectors
    mean, variance = vectors.mean(1, keepdim=True), vectors.var(1, keepdim=True, correction=0)
    scaled = (vectors - mean) / (variance + model.norm.eps).sqrt()
    return scaled * model.norm.weight + model.norm.bias


def alone(kind, model, note):
    """Encode a note by itself, chunk by chunk: no padding anywhere."""
    states = [
        model.encoder(input_ids=part[None]).last_hidden_state[0] for part in note.split(CHUNK)
    ]
    return attend(kind, model, torch.cat(states), torch.ones(len(note), dtype=torch.bool))


def beside_the_longest(kind, model, notes, masked=True):
    """Encode a padded batch: every chunk, of padding alone too; scores made in full."""
    width = -(-max(map(len, notes)) // CHUNK) * CHUNK
    vectors = []
    for note in notes:
        ids = F.pad(note, (0, width - len(note)), value=1)
        real = torch.arange(width) < len(note)
        states = []
        for part, mask in zip(ids.split(CHUNK), real.split(CHUNK), strict=True):
            if kind != "plm_icd" and not masked and not mask.any():
                states.append(torch.zeros(CHUNK, SIZES["hidden_size"], dtype=torch.double))
                continue
            seen = mask if mask.any() else ~mask
            encoded = model.encoder(input_ids=part[None], attention_mask=seen[None].long())
            states.append(encoded.last_hidden_state[0])
        seen = real if masked else torch.ones_like(real)
        vectors.append(attend(kind, model, torch.cat(states), seen))
    return vectors


def cross_entropy(logits, targets, weights, label_mask):
    p = logits.sigmoid()
    losses = -(targets * p.log() + (1 - targets) * (1 - p).log()) * label_mask
    return (losses.sum(1) / LABELS * weights).sum() / weights.sum()


def score(model, vectors):
    return torch.stack([(one * model.classifier).sum(1) for one in vectors]) + model.bias


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_same(found, expected):
    """Compare two (logits, gradients), relative to the largest value of each tensor."""
    assert (found[0] - expected[0]).abs().max() < 1e-9 * expected[0].abs().max()
    assert found[1].keys() == expected[1].keys()
    for name, gradient in expected[1].items():
        limit = 1e-9 * gradient.abs().max().clamp_min(1e-3)
        assert (found[1][name] - gradient).abs().max() < limit, name


def run(model, notes, targets, *rest, **extra):
    output = model(*concatenate([note.numpy() for note in notes]), targets, *rest, **extra)
    return output.logits.detach(), gradients(model, output.loss)


def weights_and_mask():
    generator = torch.Generator().manual_seed(3)
    label_mask = torch.rand(len(LENGTHS), LABELS, generator=generator) < 0.8
    return torch.tensor([1.0, 0.5, 1.0, 2.0, 1.0, 1.0], dtype=torch.double), label_mask


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("kind", MODELS)
def test_ragged_batches_are_the_formula_alone_and_padded(kind, encoder):
    model, notes, targets = make_model(kind, encoder), make_notes(), make_targets()
    weights, label_mask = weights_and_mask()
    found = run(model, notes, targets, weights, label_mask)
    for vectors in (
        [alone(kind, model, note) for note in notes],
        beside_the_longest(kind, model, notes),
    ):
        logits = score(model, vectors)
        loss = cross_entropy(logits, targets, weights, label_mask)
        assert_same(found, (logits.detach(), gradients(model, loss)))


@pytest.mark.parametrize("kind", MODELS)
def test_the_order_of_a_batch_changes_nothing(kind):
    model, notes, targets = make_model(kind), make_notes(), make_targets()
    logits, slopes = run(model, notes, targets)
    for seed in range(3):
        order = torch.randperm(len(notes), generator=torch.Generator().manual_seed(seed))
        found = run(model, [notes[row] for row in order], targets[order])
        assert_same(found, (logits[order], slopes))


@pytest.mark.parametrize("kind", MODELS)
def test_without_masks_the_models_are_what_was_published(kind):
    """PLM-ICD attends to encoded padding; PLM-CA and GKI-ICD to zeros beyond a note's chunks."""
    model, notes, targets = make_model(kind, mask_padding=False), make_notes(), make_targets()
    found = run(model, notes, targets)
    logits = score(model, beside_the_longest(kind, model, notes, masked=False))
    loss = cross_entropy(logits, targets, torch.ones(len(notes)), torch.ones_like(targets))
    assert_same(found, (logits.detach(), gradients(model, loss)))
    masked = score(model, [alone(kind, model, note) for note in notes])
    assert (found[0] - masked).abs().max() > 1e-3


def test_a_chunk_of_padding_attends_to_itself_as_under_the_published_mask():
    """Published: a mask of zeros is the lowest number added to every score, so all weigh alike."""
    model = make_model("plm_icd", mask_padding=False)
    ids = torch.full((1, CHUNK), 1)
    found = model.encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    model.encoder.set_attn_implementation("eager")
    lowest = torch.full((1, 1, CHUNK, CHUNK), torch.finfo(torch.double).min, dtype=torch.double)
    published = model.encoder(input_ids=ids, attention_mask=lowest).last_hidden_state
    assert torch.allclose(found, published, atol=1e-12)


def divergence(kind, first, second):
    if kind == "softmax":
        p, q = first.softmax(1), second.softmax(1)
        return ((p - q) * (p / q).log()).sum(1) / 2 / LABELS
    p, q = first.sigmoid(), second.sigmoid()
    both = (p - q) * ((p / q).log() - ((1 - p) / (1 - q)).log())
    return both.sum(1) / 2 / LABELS


@pytest.mark.parametrize("rdrop_kind", ["softmax", "bernoulli"])
def test_gki_icd_learns_from_guidelines_similarity_and_two_passes(rdrop_kind, monkeypatch):
    """The second pass, which dropout would change, is made another by hand."""
    model = make_model("gki_icd", rdrop_kind=rdrop_kind, similarity_lambda=0.7)
    model.rdrop_active = True
    notes, targets = make_notes(), make_targets()
    guidelines = make_notes([5, 16, 9, 2, 30, 8], seed=4)
    weights, label_mask = weights_and_mask()
    read = model.label_vectors

    def other_second_pass(ids, lengths):
        vectors = read(ids, lengths)
        return [one * 1.3 if 6 <= row < 12 else one for row, one in enumerate(vectors)]

    monkeypatch.setattr(model, "label_vectors", other_second_pass)
    ids, lengths = concatenate([one.numpy() for one in guidelines])
    extra = {"guideline_ids": ids, "guideline_lengths": lengths}
    found = run(model, notes, targets, weights, label_mask, **extra)

    first = [alone("gki_icd", model, note) for note in notes]
    told = [alone("gki_icd", model, note) for note in guidelines]
    logits = [score(model, one) for one in (first, [one * 1.3 for one in first], told)]
    losses = [cross_entropy(one, targets, weights, label_mask) for one in logits]
    share = weights / weights.sum()
    similarity = torch.stack(
        [
            (1 - F.cosine_similarity(a[gold], b[gold])).mean() if gold.any() else a.new_zeros(())
            for a, b, gold in zip(first, told, targets.bool(), strict=True)
        ]
    )
    loss = (
        ((losses[0] + losses[1]) / 2 + losses[2]) / 2
        + 5.0 * (divergence(rdrop_kind, *logits[:2]) * share).sum()
        + 0.7 * (similarity * share).sum()
    )
    assert_same(found, (logits[0].detach(), gradients(model, loss)))


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("kind", MODELS)
@torch.no_grad()
def test_a_note_scores_the_same_alone_and_beside_others(kind, encoder):
    model, notes = make_model(kind, encoder).float().eval(), make_notes()
    together = model(*concatenate([note.numpy() for note in notes])).logits
    for row, note in enumerate(notes):
        single = model(*concatenate([note.numpy()])).logits[0]
        assert torch.allclose(single, together[row], atol=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_gradient_checkpointing_changes_no_gradient(kind):
    model, notes, targets = make_model(kind), make_notes(), make_targets()
    expected = run(model, notes, targets)
    model.encoder.activation_checkpointing_enable()
    assert model.encoder.is_activation_checkpointing
    assert_same(run(model, notes, targets), expected)
