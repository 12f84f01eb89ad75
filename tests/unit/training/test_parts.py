"""The parts of training: chunks, label attention, guidelines, tokens, train sets."""

import random

import numpy as np
import polars as pl
import pytest
import torch
from longtail_icd.training import attention
from longtail_icd.training.attention import (
    attention_weights,
    fused,
    label_attention,
    recomputed,
)
from longtail_icd.training.batches import Collator, TokenDataset, concatenate
from longtail_icd.training.chunking import encode_chunks
from longtail_icd.training.encoder import train_tokenizer
from longtail_icd.training.gki_icd import GkiIcd, GkiIcdConfig
from longtail_icd.training.guideline import Guidelines, titles_of
from longtail_icd.training.losses import evidence_distance
from longtail_icd.training.plm_icd import PlmIcd
from longtail_icd.training.tokenization import token_ids, tokenize
from transformers import RobertaConfig, RobertaModel

CHUNK = 8
ENCODER = {
    "model_type": "roberta",
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": CHUNK + 2,
    "type_vocab_size": 1,
    "pad_token_id": 1,
}


def _encoder():
    torch.manual_seed(0)
    settings = {key: value for key, value in ENCODER.items() if key != "model_type"}
    return RobertaModel(RobertaConfig(**settings), add_pooling_layer=False).eval()


@torch.no_grad()
def test_chunks_give_what_encoding_each_note_by_itself_gives():
    """Positions restart in each chunk; full and partial chunks land in their places."""
    encoder = _encoder()
    generator = np.random.default_rng(0)
    notes = [generator.integers(5, 50, length) for length in (3, 8, 9, 16, 21)]
    ids, lengths = concatenate(notes)
    hidden = encode_chunks(encoder, ids, lengths, CHUNK)
    assert hidden.shape == (57, 16)
    for states, note in zip(hidden.split(lengths), notes, strict=True):
        parts = [note[start : start + CHUNK] for start in range(0, len(note), CHUNK)]
        alone = [encoder(torch.tensor(part)[None]).last_hidden_state[0] for part in parts]
        assert torch.allclose(states, torch.cat(alone), atol=1e-5)


@torch.no_grad()
def test_the_encoder_sees_full_chunks_unmasked_and_the_others_by_length():
    encoder, seen = _encoder(), []
    encoder.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs), with_kwargs=True
    )
    notes = [np.arange(5, 5 + length) for length in (24, 3, 9, 12, 15, 7)]
    encode_chunks(encoder, *concatenate(notes), CHUNK)
    assert [tuple(call["inputs_embeds"].shape[:2]) for call in seen] == [
        (6, 8),
        (2, 7),
        (2, 4),
        (1, 1),
    ]
    masks = [call["attention_mask"] for call in seen]
    assert masks[0] is None and masks[1] is None and masks[3] is None
    assert masks[2].sum(dim=1).tolist() == [3, 4]


@pytest.mark.parametrize("attend", [fused, recomputed])
def test_what_labels_see_and_its_gradients_are_those_of_the_formula(attend):
    torch.manual_seed(0)
    shapes = ((7, 4), (5, 4), (5, 3))  # 7 labels, 5 tokens; keys are 4 wide, values 3
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    queries, keys, values = inputs
    expected = (queries @ keys.T).softmax(dim=1) @ values
    found = attend(*inputs)
    assert torch.allclose(found, expected)
    upstream = torch.randn_like(expected)
    gradients = (torch.autograd.grad(seen, inputs, upstream) for seen in (found, expected))
    assert all(torch.allclose(*pair) for pair in zip(*gradients, strict=True))


def test_scores_of_a_note_are_not_kept_for_the_backward_pass():
    labels, tokens, kept = 40, 50, []
    queries, keys = (torch.randn(rows, 8, requires_grad=True) for rows in (labels, tokens))

    def pack(tensor):
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        attention_weights(queries, keys) @ keys
        assert max(kept) == labels * tokens
        kept.clear()
        recomputed(queries, keys, keys)
        assert max(kept) < labels * tokens


@pytest.mark.parametrize("attend", ["fused", "recomputed"])
def test_label_attention_stays_in_full_precision_under_autocast(attend, monkeypatch):
    """Scores of half precision are off by whole units at this size and make models collapse."""
    monkeypatch.setattr(attention, "fused", getattr(attention, attend))
    queries, keys = torch.full((1, 1), 100.0), torch.tensor([[4.01], [4.0], [0.0]])
    values = torch.tensor([[1.0], [0.0], [0.0]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (found,) = label_attention(queries, keys, values, [3])
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-4)


@pytest.mark.parametrize(
    ("rdrop", "guided", "passes"), [(False, False, 1), (True, False, 2), (True, True, 3)]
)
def test_gki_icd_runs_only_the_passes_that_its_loss_needs(rdrop, guided, passes, monkeypatch):
    model = GkiIcd(GkiIcdConfig(encoder=ENCODER, labels=3, chunk=CHUNK)).train()
    model.rdrop_active = rdrop
    read, calls = model.label_vectors, []
    monkeypatch.setattr(
        model, "label_vectors", lambda ids, lengths: calls.append(lengths) or read(ids, lengths)
    )
    batch, targets = concatenate([np.arange(5, 11)]), torch.tensor([[1.0, 0.0, 0.0]])
    extra = dict(zip(("guideline_ids", "guideline_lengths"), batch, strict=True)) if guided else {}
    model(*batch, targets, **extra)
    assert calls == [[6] * passes]
    calls.clear()
    model.eval()(*batch, targets, **extra)
    assert calls == [[6]]  # prediction reads the note alone


def test_evidence_distance_is_over_gold_codes_only():
    note = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    guideline = torch.tensor([[[0.0, 2.0], [-5.0, 0.0]]])
    assert evidence_distance(note, guideline, torch.tensor([[1.0, 0.0]])).item() == 1.0
    assert evidence_distance(note, guideline, torch.tensor([[1.0, 1.0]])).item() == 1.5
    assert evidence_distance(note, guideline, torch.zeros(1, 2)).item() == 0.0


LABELS = pl.DataFrame({"version": ["icd10cm", "icd10cm", "icd10pcs"], "code": ["B20", "X9", "0DT"]})
TAXONOMY = pl.DataFrame(
    [
        ("icd10cm", "B20", "human immunodeficiency virus disease", "1", "B20-B20", "B20"),
        ("icd10cm", "1", "infectious diseases", None, None, None),
        ("icd10cm", "B20-B20", "HIV", None, None, None),
        ("icd10pcs", "B20", "imaging, plain radiography", "B", "B2", "B20"),
        ("icd10pcs", "1", "obstetrics", None, None, None),
        ("icd10pcs", "0DT", "resection", "0", None, "0DT"),
    ],
    schema=["version", "code", "title", "chapter", "block", "category"],
    orient="row",
)
SYNONYMS = pl.DataFrame(
    [("icd10cm", "B20", word) for word in ("aids", "hiv disease", "hiv disease")],
    schema=["version", "code", "synonym"],
    orient="row",
)


def test_knowledge_is_looked_up_in_the_code_s_own_system():
    """B20 is also a table of ICD-10-PCS, and both systems have a chapter 1."""
    titles = titles_of(LABELS, TAXONOMY)
    assert titles == ["human immunodeficiency virus disease", "X9", "resection"]
    guidelines = Guidelines(LABELS, titles, TAXONOMY, SYNONYMS)
    assert guidelines.hierarchies == ["infectious diseases, HIV", "", "0"]
    assert guidelines.wordings == [["aids", "hiv disease"], ["X9"], ["resection"]]
    text = guidelines.text([0, 2], random.Random(0))
    assert set(text.split(". ")) <= {
        "infectious diseases, HIV, aids",
        "infectious diseases, HIV, hiv disease",
        "0, resection",
    }


def test_guidelines_are_drawn_anew_each_epoch_and_the_same_in_a_rerun():
    tokenizer = train_tokenizer(["aids hiv disease resection infectious"] * 5, 300)
    guidelines = Guidelines(LABELS, titles_of(LABELS, TAXONOMY), TAXONOMY, SYNONYMS)
    tokens = pl.DataFrame({"input_ids": [[0, 7, 2]] * 8, "label_ids": [[0, 1, 2]] * 8})
    notes = TokenDataset(tokens.with_columns(guideline_labels="label_ids"))

    def draw(epoch):
        collator = Collator(3, tokenizer, guidelines, seed=1, epoch=epoch, max_length=20)
        batch = collator([notes[index] for index in range(8)])
        parts = batch["guideline_ids"].split(batch["guideline_lengths"])
        return [tuple(part.tolist()) for part in parts]

    assert draw(0) == draw(0)
    assert draw(0) != draw(1)
    assert len(set(draw(0))) > 1  # notes with the same codes differ too
    assert max(map(len, draw(0))) <= 20


def test_notes_are_cut_with_both_marks_kept():
    tokenizer = train_tokenizer(["one two three four five six seven"] * 3, 300)
    whole = token_ids(["one two three four five six seven", ""], tokenizer, 100)
    cut = token_ids(["one two three four five six seven"], tokenizer, 5)[0]
    assert cut == [*whole[0][:4], whole[0][-1]]
    assert (cut[0], cut[-1]) == (tokenizer.bos_token_id, tokenizer.eos_token_id)
    assert whole[1] == [tokenizer.bos_token_id, tokenizer.eos_token_id]


def test_tokenizer_is_the_same_each_time_and_blind_to_case():
    texts = [f"Acute {word} of the {word}" for word in ("liver", "kidney", "lung", "heart")]
    first, second = train_tokenizer(texts, 320), train_tokenizer(texts, 320)
    assert first.get_vocab() == second.get_vocab()
    assert first("ACUTE liver")["input_ids"] == first("acute Liver")["input_ids"]


def test_anchors_of_synthetic_notes_are_label_ids(capsys):
    tokenizer = train_tokenizer(["text"], 300)
    notes = pl.DataFrame({"note_id": ["b", "a"], "text": ["text", "text"], "anchor": ["2", "1"]})
    labels = pl.DataFrame({"note_id": ["a", "b", "b", "b"], "code": ["1", "2", "1", "gone"]})
    tokens = tokenize(notes, labels, ["1", "2"], tokenizer, 16)
    assert tokens["note_id"].to_list() == ["b", "a"]
    assert tokens["label_ids"].to_list() == [[0, 1], [0]]
    assert tokens["anchor_id"].to_list() == [1, 0]
    assert "1 labels are outside the label space" in capsys.readouterr().out


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", [PlmIcd, GkiIcd])
def test_bf16_on_a_gpu_agrees_with_full_precision(kind):
    torch.manual_seed(0)
    model = kind(kind.config_class(encoder=ENCODER, labels=5, chunk=CHUNK)).eval().cuda()
    ids, lengths = concatenate([np.arange(5, 25), np.arange(9, 14)])
    with torch.no_grad():
        exact = model(ids.cuda(), lengths).logits
        with torch.autocast("cuda", dtype=torch.bfloat16):
            rough = model(ids.cuda(), lengths).logits
    assert torch.isfinite(rough).all()
    assert torch.allclose(exact, rough.float(), atol=0.05)
