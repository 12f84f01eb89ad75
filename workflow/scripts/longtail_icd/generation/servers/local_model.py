"""A language model in this process: no server, no port, nothing leaves the job.

Slower than a server that batches continuously. The questions of a round are sorted by length and
answered in batches with padding on the left. **An answer depends on its batch**: a batch draws from
one random generator, seeded by all its questions, and padding changes sums in their last bits. The
same round gives the same answers on the same kind of device; a run that was interrupted goes on
with other batches. What was answered is in the journal and stays as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from longtail_icd.common.errors import UserError
from longtail_icd.generation.journal.journal import request_key
from longtail_icd.generation.requests import Answer
from longtail_icd.generation.runner.run_state import RunEnded, RunState
from longtail_icd.generation.servers.gatherer import Gatherer, Question
from longtail_icd.generation.servers.hub import check_pinned, pinned_name

Batch = list[tuple[Question, list[int]]]  # questions and the tokens of their prompts


def batches_by_length(prompts: Batch, batch_tokens: int) -> Iterator[Batch]:
    """Yield the questions from short to long in batches of about ``batch_tokens`` tokens.

    Counted as the device holds them: every prompt as long as the batch's longest, and every answer
    as long as it may become. A question that is larger is a batch of its own.
    """
    batch: Batch = []
    for question, tokens in sorted(prompts, key=lambda one: len(one[1])):
        longest = len(tokens) + question.body["max_tokens"]
        if batch and (len(batch) + 1) * longest > batch_tokens:
            yield batch
            batch = []
        batch.append((question, tokens))
    if batch:
        yield batch


def _padded(prompts: list[list[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and mask, both prompts x longest prompt, with padding on the left."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[pad] * (longest - len(one)) + one for one in prompts])
    mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts])
    return ids, mask


def _seed_of(batch: Batch) -> int:
    """Return a seed below 2**63 that every question of the batch has a part in."""
    keys = [request_key(question.body) for question, _ in batch]
    return int(request_key({"batch": keys}), 16) % 2**63


class LocalModel:
    """A causal language model with a chat template, on the GPUs if there are any, then in bf16.

    Args:
        name: a folder or a hub id.
        revision: the commit, of a hub id.

    Raises:
        UserError: there is no such model, weights are missing, or it has no chat template.
    """

    def __init__(self, name: str, revision: str | None):
        self.name = pinned_name(name, revision)
        cuda = torch.cuda.is_available()
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
            self._model, found = AutoModelForCausalLM.from_pretrained(
                name,
                revision=revision,
                dtype=torch.bfloat16 if cuda else torch.float32,
                device_map="auto" if cuda else None,
                output_loading_info=True,
            )
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"model {self.name}: cannot be loaded: {error}") from None
        # transformers would draw them at random and go on.
        if found["missing_keys"]:
            raise UserError(f"model {self.name}: lacks weights of its architecture; get it again")
        if self._tokenizer.chat_template is None:
            raise UserError(
                f"model {self.name}: has no chat template; choose a model tuned for chats"
            )
        ends = self._model.generation_config.eos_token_id
        ends = [self._tokenizer.eos_token_id] if ends is None else ends
        self._ends = ends if isinstance(ends, list) else [ends]
        # Every parameter is the writer's; none of the model's own recommendations takes effect.
        self._model.generation_config = GenerationConfig()
        self._model.eval()

    def prompt(self, body: dict[str, Any]) -> list[int]:
        """Return the tokens of a body's chat.

        Raises:
            UserError: they and the longest answer are more than the model's context holds.
        """
        text = self._tokenizer.apply_chat_template(
            body["messages"],
            add_generation_prompt=True,
            tokenize=False,
            **body.get("chat_template_kwargs", {}),
        )
        # The template has written the special tokens already.
        tokens = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        context = getattr(self._model.config, "max_position_embeddings", None)
        if context is not None and len(tokens) + body["max_tokens"] > context:
            raise UserError(
                f"max_tokens: a prompt of {len(tokens)} tokens and an answer of "
                f"{body['max_tokens']} do not fit the {context} tokens of model {self.name}"
            )
        return tokens

    def answer(self, batch: Batch) -> list[Answer]:
        """Return the answers to a batch of questions with the same sampling parameters.

        Raises:
            UserError: the batch does not fit the device's memory.
        """
        body, prompts = batch[0][0].body, [tokens for _, tokens in batch]
        ids, mask = _padded(prompts, self._ends[0])
        sampled = body["temperature"] > 0
        drawing = {"temperature": body["temperature"], "top_p": body["top_p"], "top_k": 0}
        config = GenerationConfig(
            max_new_tokens=body["max_tokens"],
            do_sample=sampled,
            eos_token_id=self._ends,
            pad_token_id=self._ends[0],
            **(drawing if sampled else {}),
        )
        device = self._model.device
        try:
            with torch.random.fork_rng(), torch.inference_mode():
                torch.manual_seed(_seed_of(batch))
                written = self._model.generate(
                    ids.to(device), attention_mask=mask.to(device), generation_config=config
                )[:, ids.shape[1] :].tolist()
        except torch.cuda.OutOfMemoryError:
            raise UserError(
                f"batch_tokens: a batch of {len(batch)} questions does not fit the GPU's memory; "
                "choose less"
            ) from None
        return [self._answer_of(*one) for one in zip(prompts, written, strict=True)]

    def _answer_of(self, prompt: list[int], written: list[int]) -> Answer:
        end = next((at for at, token in enumerate(written) if token in self._ends), None)
        text = self._tokenizer.decode(written[:end], skip_special_tokens=True)
        return {
            "text": text,
            "finish_reason": "length" if end is None else "stop",
            "model": self.name,
            "prompt_tokens": len(prompt),
            "completion_tokens": len(written) if end is None else end + 1,
            "attempts": 1,
            "endpoint": None,
        }


class LocalWriter:
    """Answers rounds of questions with a model that is loaded when the first one comes.

    Args:
        name: see :class:`LocalModel`, as is revision.
        revision: see there.
        batch_tokens: about how many tokens a batch has.
        state: of the run; its failure ends a round after the batch under way.
    """

    def __init__(self, name: str, revision: str | None, batch_tokens: int, state: RunState):
        self._name = name
        self._revision = revision
        self._batch_tokens = batch_tokens
        self._state = state
        self._model: LocalModel | None = None

    async def answer_all(self, questions: list[Question]) -> None:
        """Answer the questions of a round.

        Raises:
            RunEnded: the run ended meanwhile.
            UserError: see :class:`LocalModel`.
        """
        if self._model is None:
            self._model = await asyncio.to_thread(LocalModel, self._name, self._revision)
        prompts = [(one, self._model.prompt(one.body)) for one in questions]
        for batch in batches_by_length(prompts, self._batch_tokens):
            if self._state.failure is not None:
                raise RunEnded
            answers = await asyncio.to_thread(self._model.answer, batch)
            for (question, _), answer in zip(batch, answers, strict=True):
                question.answer.set_result(answer)


@asynccontextmanager
async def open_local_model(settings: dict[str, Any], state: RunState) -> AsyncIterator[Gatherer]:
    """Yield the asker of a writer with ``backend: transformers``.

    Raises:
        UserError: a model of a hub without a revision.
    """
    name, revision = settings["model"], settings["revision"]
    check_pinned(name, revision)
    writer = LocalWriter(name, revision, settings["batch_tokens"], state)
    yield Gatherer(writer.answer_all, state)
