"""A language model in this process, tried with one of 0.5 MB."""

import asyncio

import pytest
import torch
from longtail_icd.common.errors import UserError
from longtail_icd.generation.requests import Answer
from longtail_icd.generation.runner.run_state import RunState
from longtail_icd.generation.servers.gatherer import Question
from longtail_icd.generation.servers.local_model import (
    LocalModel,
    batches_by_length,
    open_local_model,
)
from safetensors.torch import load_file, save_file
from tiny_model import CONTEXT, make_tiny_model
from transformers import GenerationConfig

SETTINGS = {"revision": None, "batch_tokens": 400}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(make_tiny_model(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(scope="module")
def model(folder):
    return LocalModel(folder, None)


def body(words="Write.", **changes):
    chat = [{"role": "user", "content": words}]
    drawn = {"max_tokens": 12, "temperature": 1.0, "top_p": 0.9, "seed": 1}
    return {"model": "m", "messages": chat, **drawn, **changes}


def answers(folder, bodies, **settings) -> list[Answer]:
    async def run():
        async with open_local_model(SETTINGS | {"model": folder} | settings, RunState()) as asker:
            return await asyncio.gather(*(asker.ask(one, "text") for one in bodies))

    return asyncio.run(run())


def ask(model, *bodies) -> list[Answer]:
    """Return the answers to bodies in one batch."""
    return model.answer([(Question(one, "text", None), model.prompt(one)) for one in bodies])


def test_batches_go_from_short_to_long_and_hold_about_as_many_tokens():
    questions = [
        (Question({"max_tokens": 10}, "text", None), [0] * size) for size in (30, 5, 200, 5, 10)
    ]
    batches = list(batches_by_length(questions, 60))
    # 3 x (10 + 10) fit into 60, 4 x (30 + 10) do not; 210 is more than a batch, and one of its own.
    assert [[len(tokens) for _, tokens in batch] for batch in batches] == [[5, 5, 10], [30], [200]]


def test_every_question_is_answered_and_counted(folder):
    bodies = [body(f"Write {'more ' * n}", seed=n) for n in range(9)]
    got = answers(folder, bodies)
    assert len({one["text"] for one in got}) == 9
    for one in got:
        assert one["finish_reason"] in ("stop", "length")
        assert 0 < one["completion_tokens"] <= 12
        assert (one["completion_tokens"] == 12) >= (one["finish_reason"] == "length")
        assert one["endpoint"] is None and one["attempts"] == 1 and one["model"] == folder
    assert [one["prompt_tokens"] for one in got] == sorted(one["prompt_tokens"] for one in got)


def test_the_same_round_gets_the_same_answers_and_leaves_others_chance_alone(folder):
    bodies = [body(f"Write {n}.", seed=n) for n in range(5)]
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first = answers(folder, bodies)
    assert torch.equal(torch.rand(1), expected)
    assert answers(folder, bodies) == first
    other = answers(folder, [one | {"seed": 100 + one["seed"]} for one in bodies])
    assert [one["text"] for one in other] != [one["text"] for one in first]


def test_padding_changes_no_answer_at_temperature_0(model):
    short, long = body("Hi", temperature=0), body("Write " * 40, temperature=0)
    together = ask(model, short, long)
    assert together == [*ask(model, short), *ask(model, long)]


def test_an_answer_ends_where_the_model_ends_it(model, monkeypatch):
    """The mark itself is counted but not part of the text."""
    [whole] = ask(model, body(temperature=0))
    assert whole["finish_reason"] == "length" and whole["completion_tokens"] == 12
    with torch.inference_mode():
        ids = torch.tensor([model.prompt(body())])
        third = model._model.generate(ids, max_new_tokens=3, do_sample=False)[0, -1].item()
    monkeypatch.setattr(model, "_ends", [third])
    [cut] = ask(model, body(temperature=0))
    assert cut["finish_reason"] == "stop" and cut["completion_tokens"] <= 3
    assert whole["text"].startswith(cut["text"]) and len(cut["text"]) < len(whole["text"])


def test_the_models_own_recommendations_have_no_effect(folder, tmp_path):
    """A model's folder may ask for a penalty or few candidates; the writer's block is complete."""
    plain = answers(folder, [body()])
    changed = str(make_tiny_model(tmp_path / "changed"))
    GenerationConfig(
        do_sample=True, eos_token_id=3, pad_token_id=0, repetition_penalty=9.0, top_k=1
    ).save_pretrained(changed)
    assert [one["text"] for one in answers(changed, [body()])] == [one["text"] for one in plain]


def test_a_prompt_beyond_the_context_is_an_error_without_its_text(folder):
    with pytest.raises(UserError, match=f"do not fit the {CONTEXT} tokens") as caught:
        LocalModel(folder, None).prompt(body("quillfeather " * CONTEXT))
    assert "quillfeather" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "revision", "message"),
    [
        ("org/model", None, "revision: org/model is no folder here"),
        ("no/such/place", "abc", "model no/such/place@abc: cannot be loaded"),
    ],
)
def test_a_model_that_is_not_there(name, revision, message, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    async def run():
        state = RunState()
        settings = {"model": name, "revision": revision, "batch_tokens": 9}
        async with open_local_model(settings, state) as asker:
            await asyncio.gather(asker.ask(body(), "text"), return_exceptions=True)
        if state.failure:
            raise state.failure

    with pytest.raises(UserError, match=message):
        asyncio.run(run())


def test_a_model_without_a_chat_template_or_with_lost_weights(folder, tmp_path):
    bare = make_tiny_model(tmp_path / "bare")
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match="no chat template"):
        LocalModel(str(bare), None)
    torn = make_tiny_model(tmp_path / "torn")
    weights = load_file(torn / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    save_file(weights, torn / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="lacks weights"):
        LocalModel(str(torn), None)
