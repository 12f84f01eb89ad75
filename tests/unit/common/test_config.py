"""A wrong configuration ends in one message that names the key and the remedy."""

import copy
from datetime import date
from pathlib import Path

import pytest
import yaml
from longtail_icd.common.config import check_config, drop_unset, pretraining_texts, runs_of
from longtail_icd.common.errors import UserError

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
QUOTAS = ("title", "abbreviation", "indirect")
LLM = {
    "backend": "openai",
    "model": "m",
    "max_tokens": 10,
    "max_tokens_key": "max_tokens",
    "temperature": 1.0,
    "top_p": 1.0,
    "concurrency": 1,
    "timeout_s": 1.0,
    "api_key_env": None,
}
URL = "http://127.0.0.1:8000/v1"
DRAWN = {"model": "m", "max_tokens": 10, "temperature": 1.0, "top_p": 1.0}
BATCH = {"backend": "batch", "max_tokens_key": "max_tokens", "max_lines": 9, "max_mb": 9, **DRAWN}
LOCAL = {"backend": "transformers", "revision": None, "batch_tokens": 9, **DRAWN}
VLLM = {"backend": "vllm", "revision": None, "concurrency": 1, "timeout_s": 1.0, **DRAWN}
VLLM |= {"replicas": 1, "gpus_per_replica": 1, "start_s": 9}
ATTESTATION = {
    "zero_retention": True,
    "no_training": True,
    "no_human_review": True,
    "agreement_ref": "12",
    "by": "me",
    "date": "2026-01-01",
    "expires": "2026-12-31",
}
DEMO = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())


def _changed(path, value):
    config = copy.deepcopy(DEMO)
    *parents, last = path.split(".")
    block = config
    for key in parents:
        block = block[key]
    block[last] = value
    return config


def test_the_demo_is_valid():
    check_config(DEMO, SCHEMA)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("tiers.hed", 5, r"tiers: unknown key hed; did you mean head"),
        ("models.plm_icd.learning_rate", "1e-3", r"models.plm_icd.learning_rate: '1e-3' is not"),
        ("corpus.path", "no/such/folder", r"corpus.path: no/such/folder: no such file"),
        ("corpus.adapter", "codiesp", r"corpus.path: .*fetch_codiesp"),
        ("corpus.adapter", "table", r"corpus.path: the table adapter needs its table"),
        ("corpus.edition", "icd11", r"corpus.edition: 'icd11' is not one of"),
        ("corpus.labels.rules", "mullenbach_50", r"corpus.code_list: .*published list.*recount"),
        ("corpus.code_list", str(ROOT / "README.md"), r"corpus.code_list: only .*mullenbach_50"),
        ("corpus.code_list", "no/such", r"corpus.code_list: no/such: no such file"),
        ("corpus.text", "clean", r"corpus.text: 'clean' is not one of"),
        ("corpus.label_space", "file", r"corpus.label_file"),
        ("recipes.paper.writer", "gpt", r"recipes.paper.writer: no writer named gpt"),
        (
            "recipes.paper.allocation",
            {"method": "uniform", "notes": 5, "cap": 12},
            r"recipes.paper.allocation: unknown key cap; uniform has the keys method, notes$",
        ),
        (
            "recipes.paper.allocation",
            {"method": "power", "cap": 12, "zero_shot": 12},
            r"recipes.paper.allocation: missing key exponent; power has the keys cap, exponent, me",
        ),
        (
            "recipes.paper.allocation",
            {"method": "papr"},
            r"recipes.paper.allocation.method: 'papr' is not one of paper, uniform, power, effect",
        ),
        ("recipes.paper.allocation", {"cap": 12}, r"paper.allocation: missing key method: one of"),
        (
            "recipes.paper.prompt",
            {"template": "rephrase", "seed": 1, "chunk_words": 300},
            r"recipes.paper.writer: offline is offline and cannot rewrite a note",
        ),
        (
            "recipes.planned.prompt",
            {"template": "rephrase", "seed": 1, "chunk_words": 300},
            r"recipes.planned.code_sets.strategy: sample, .*choose paper",
        ),
        (
            "recipes.description.prompt",
            {"template": "graft", "seed": 1, "wording": dict.fromkeys(QUOTAS, 0.1)},
            r"recipes.description.exemplars.method: none, .*choose ranked",
        ),
        (
            "recipes.planned.prompt.wording",
            dict.fromkeys(QUOTAS, 0.4),
            r"recipes.planned.prompt.wording: the shares are more than 1 together",
        ),
        (
            "recipes.planned.prompt.words",
            [900, 100],
            r"recipes.planned.prompt.words: 900 is more than 100",
        ),
        (
            "recipes.paper.prompt",
            {"template": "paper", "seed": 1, "words": None},
            r"recipes.paper.prompt: unknown key words; paper has the keys seed, template",
        ),
        ("recipes.paper.allocation", 12, r"paper.allocation: missing key method: one of paper"),
        (
            "recipes.paper.allocation",
            {"method": "power", "exponent": "1", "cap": 12, "zero_shot": 12},
            r"recipes.paper.allocation.exponent: '1' is not of type",
        ),
        (
            "recipes.paper.allocation",
            {"method": "budget", "total": 9, "shares": {"tail": 1, "head": 1}},
            r"recipes.paper.allocation.shares: unknown key head; .*few_shot",
        ),
        (
            "recipes.paper.exemplars",
            {"method": "none", "count": 2},
            r"recipes.paper.exemplars: unknown key count; none has the keys method$",
        ),
        ("writers.offline", {"backend": "openai", "model": "m"}, r"openai has the keys api_key_e"),
        ("writers.one", LLM, r"writers.one: give base_url, or base_urls for several"),
        (
            "writers.one",
            {**LLM, "base_url": URL, "base_urls": [URL]},
            r"writers.one: give base_url, or base_urls .*not both",
        ),
        ("writers.one", {**LLM, "base_urls": [URL, "x:1"]}, r"writers.one.base_urls.1: 'x:1' does"),
        (
            "writers.one",
            {**LLM, "base_url": URL, "max_class": "secret"},
            r"writers.one.max_class: 'secret' is not one of",
        ),
        (
            "writers.one",
            {**LLM, "base_url": URL, "attestation": {"by": "me"}},
            r"writers.one.attestation: missing key agreement_ref",
        ),
        (
            "writers.one",
            {**LLM, "base_url": URL, "attestation": {**ATTESTATION, "expires": "never"}},
            r"writers.one.attestation.expires: 'never' does not match",
        ),
        (
            "writers.one",
            {**BATCH, "mode": "openai"},
            r"writers.one: missing key api_key_env; batch has the keys",
        ),
        (
            "writers.one",
            {**BATCH, "mode": "files", "max_lines": 50_001},
            r"writers.one.max_lines: 50001 is greater than the maximum of 50000",
        ),
        (
            "writers.one",
            {**LOCAL, "extra": {"top_k": 5}},
            r"writers.one.extra: unknown key top_k; .*chat_template_kwargs",
        ),
        ("writers.one", {**LOCAL, "base_url": URL}, r"unknown key base_url; transformers has"),
        ("writers.one", {**VLLM, "command": []}, r"writers.one.command: \[\] "),
        ("generation.prices", {"m": {"input": 1}}, r"generation.prices.m: missing key output"),
        ("train_sets.extended.recipes", ["x"], r"train_sets.extended.recipes: no recipe named x"),
        ("train_sets.original.steps_of", "x", r"original.steps_of: x is no .*those are: extended"),
        ("train_sets.original.dose", 0.5, r"original.dose: there are no synthetic notes to act on"),
        ("train_sets.extended.dose", 1.5, r"train_sets.extended.dose: 1.5 is greater than"),
        (
            "train_sets.extended",
            {"recipes": ["paper"], "oversample": True, "companions": "anchor"},
            r"extended.oversample: goes with neither companions: anchor nor permute_anchors",
        ),
        ("models.plm_icd.devices", 3, r"plm_icd.batch_size: 8 is no multiple of devices: 3"),
        ("models.plm_icd.micro_batch", 5, r"plm_icd.micro_batch: a device's share of a batch, 8"),
        ("models.plm_icd.batch_tokens", 999, r"plm_icd.batch_tokens: 999, but three times .*1536"),
        ("models.plm_icd.gradient_clip", 0, r"models.plm_icd.gradient_clip: 0 is less than"),
        ("comparisons", [{"baseline": "original", "against": "x"}], r"comparisons.0.against"),
        ("corpus.adapter", "mimic4", r"corpus.path: the mimic4 .*simulation.layout: mimic3"),
        ("tiers.medium", 200, r"tiers: head > medium > tail"),
        ("encoder.source", "pretrained", r"encoder.name: .*folder or a hub id, or else .*archive"),
        (
            "encoder",
            DEMO["encoder"]
            | {
                "source": "pretrained",
                "name": "x",
                "archive": {"url": "https://x", "sha256": None},
            },
            r"encoder.name: .*or else encoder.archive.url",
        ),
        (
            "encoder.pretraining",
            {
                "epochs": 1,
                "mask_share": 0.15,
                "learning_rate": 1e-4,
                "batch_size": 8,
                "texts": ["no/such"],
            },
            r"encoder.pretraining.texts: no/such: no such file or folder",
        ),
        ("terminology.synonyms", ["umls"], r"terminology.umls: the source umls .* needs a path"),
        ("terminology.synonyms", ["ulms"], r"terminology.synonyms.0: 'ulms' is not one of"),
        ("terminology.umls", "MRCONSO.RRF", r"terminology.umls: nothing reads it; add umls to"),
        ("terminology.headings", "no/file", r"terminology.headings: no/file: no such file"),
        ("terminology.d_icd", "no/folder", r"terminology.d_icd: no/folder: no such folder"),
    ],
)
def test_each_mistake_has_its_message(path, value, message):
    with pytest.raises(UserError, match=message):
        check_config(_changed(path, value), SCHEMA)


def test_an_attested_endpoint_and_several_servers_are_valid():
    days = {"date": date(2026, 1, 1), "expires": date(2026, 12, 31)}  # unquoted in YAML
    for attestation in (ATTESTATION, ATTESTATION | days):
        writer = {**LLM, "base_urls": [URL], "max_class": "record", "attestation": attestation}
        check_config(_changed("writers.one", writer), SCHEMA)


CODER = {"coder": {"model": "plm_icd", "seed": 1}, "verifier": 0.3}


def _with_coder(**changes):
    config = copy.deepcopy(DEMO)
    config["recipes"]["planned"]["screening"] |= CODER | changes
    return config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verifier": None}, r"planned.screening: coder and verifier, .*go together"),
        ({"coder": None}, r"planned.screening: coder and verifier, .*go together"),
        ({"missing_code": None}, r"planned.screening.coder: only missing_code asks it"),
        ({"coder": {"model": "x", "seed": 1}}, r"screening.coder.model: no model named x; models:"),
        ({"coder": {"model": "plm_icd"}}, r"planned.screening.coder: missing key seed"),
    ],
)
def test_a_coder_that_screens_must_exist_and_have_work(changes, message):
    check_config(_with_coder(), SCHEMA)
    with pytest.raises(UserError, match=message):
        check_config(_with_coder(**changes), SCHEMA)


@pytest.mark.parametrize("through", ["recipes", "steps_of", "nowhere"])
def test_a_coder_cannot_wait_for_the_notes_that_wait_for_it(through):
    """Snakemake would only speak of a cycle in its graph."""
    config = _with_coder()
    config["train_sets"]["mine"] = {"recipes": ["planned"]}
    check_config(config, SCHEMA)
    if through == "recipes":
        config["train_sets"]["original"] = {"recipes": ["paper", "planned"]}
    elif through == "steps_of":
        config["train_sets"]["original"]["steps_of"] = "mine"
    else:
        del config["train_sets"]["original"]
    with pytest.raises(UserError, match=r"planned.screening.coder: is trained on .* original"):
        check_config(config | {"comparisons": []}, SCHEMA)


def test_the_pace_of_an_oversampled_set_is_not_taken_over():
    config = _changed("train_sets.repeated", {"recipes": ["paper"], "oversample": True})
    config["train_sets"]["original"]["steps_of"] = "repeated"
    with pytest.raises(UserError, match=r"original.steps_of: repeated .* those are: extended"):
        check_config(config, SCHEMA)


def test_a_run_that_stops_early_needs_a_measure():
    config = _changed("models.plm_icd.early_stopping", 3)
    check_config(config, SCHEMA)
    config["models"]["plm_icd"]["select_on"] = "last"
    with pytest.raises(UserError, match=r"plm_icd.early_stopping: needs select_on: map or"):
        check_config(config, SCHEMA)


def test_mimic4_needs_an_edition(tmp_path):
    config = _changed("corpus.adapter", "mimic4")
    config["corpus"]["path"] = str(tmp_path)
    with pytest.raises(UserError, match=r"corpus.edition: .*icd9 or icd10"):
        check_config(config, SCHEMA)
    config["corpus"] |= {
        "edition": "icd9",
        "split": config["corpus"]["split"] | {"method": "official"},
    }
    with pytest.raises(UserError, match=r"corpus.split.ids"):
        check_config(config, SCHEMA)


def test_missing_key_is_named():
    config = copy.deepcopy(DEMO)
    del config["corpus"]["split"]["seed"]
    with pytest.raises(UserError, match=r"corpus.split: missing key seed"):
        check_config(config, SCHEMA)


@pytest.mark.parametrize("block", ["models", "recipes", "train_sets", "writers"])
def test_null_takes_a_named_block_away_and_nothing_else(block):
    config = copy.deepcopy(DEMO)
    first, *others = config[block]
    config[block][first] = None
    drop_unset(config)
    assert config == DEMO | {block: {name: DEMO[block][name] for name in others}}


def test_what_still_names_a_block_that_is_gone_is_told():
    config = _changed("train_sets.extended", None)
    drop_unset(config)
    with pytest.raises(UserError, match=r"comparisons.0.against: no train set named extended"):
        check_config(config, SCHEMA)


def test_texts_to_pretrain_on_are_found_in_the_folder_of_the_corpus(tmp_path):
    """A corpus elsewhere takes its background texts along."""
    pretraining = {"epochs": 1, "mask_share": 0.1, "learning_rate": 1e-3, "batch_size": 1}
    pretraining["texts"] = ["{corpus}/background", str(ROOT / "README.md")]
    config = _changed("encoder.pretraining", pretraining)
    config["corpus"]["path"] = str(tmp_path)
    assert pretraining_texts(config) == [f"{tmp_path}/background", str(ROOT / "README.md")]
    with pytest.raises(UserError, match=rf"pretraining.texts: {tmp_path}/background: no such"):
        check_config(config, SCHEMA)
    (tmp_path / "background").mkdir()
    check_config(config, SCHEMA)


def test_runs_are_models_by_train_sets_by_seeds():
    config = _changed("seeds", [1, 2])
    assert len(runs_of(config)) == len(set(runs_of(config))) == 2 * 2 * 2


@pytest.mark.parametrize("writer", [{**BATCH, "mode": "files"}, LOCAL, VLLM])
def test_a_writer_beyond_an_endpoint_is_complete(writer):
    check_config(_changed("writers.one", writer), SCHEMA)
