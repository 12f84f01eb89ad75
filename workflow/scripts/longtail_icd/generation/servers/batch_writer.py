"""Answers from batch files: those of the OpenAI Batch API, or of a command that the user runs."""

import shlex
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from longtail_icd.common.errors import UserError
from longtail_icd.generation.endpoints.endpoint import read_endpoint
from longtail_icd.generation.journal.journal import request_key
from longtail_icd.generation.runner.patience import Patience
from longtail_icd.generation.runner.run_state import RunState
from longtail_icd.generation.runner.servers import Servers
from longtail_icd.generation.servers.batch_api import BatchApi
from longtail_icd.generation.servers.batch_files import (
    Line,
    answers_path,
    read_answers,
    write_requests,
)
from longtail_icd.generation.servers.gatherer import Gatherer, Question, no_answer

# A question that came back unanswered from so many files is given up.
_TRIES = 3


class Runner(Protocol):
    """Anything that has files of requests answered."""

    endpoint: str | None  # where the prompts go

    async def run(self, requests: list[Path], classes: set[str]) -> None:
        """Return when the answers to all files lie beside them.

        Args:
            requests: the files, none of them answered so far.
            classes: the data classes of their prompts.
        """


class UserRuns:
    """The files are answered by a command that the user runs; nothing is sent anywhere.

    Args:
        model: that the command loads.
    """

    endpoint = None

    def __init__(self, model: str):
        self._model = model

    async def run(self, requests: list[Path], classes: set[str]) -> None:
        """Say what is to be done.

        Raises:
            UserError: always; names one command, and how many such files there are.
        """
        first = requests[0]
        command = ["vllm", "run-batch", "-i", first, "-o", answers_path(first)]
        command += ["--model", self._model]
        raise UserError(
            f"{len(requests)} files of questions wait in {first.parent}: answer each with "
            f"`{shlex.join(map(str, command))}`, the answers to requests-NAME.jsonl in "
            "answers-NAME.jsonl beside it, and run again"
        )


class BatchWriter:
    """Answers rounds of questions by way of files in one folder, the job's own.

    Files of answers stay there: what a killed job had received is read again, and a question that
    failed is counted as often as it did.

    Args:
        folder: of the files.
        runner: has them answered.
        max_lines: most questions of a file.
        max_mb: most megabytes of one.
    """

    def __init__(self, folder: Path, runner: Runner, max_lines: int, max_mb: float):
        self._folder = folder
        self._runner = runner
        self._max_lines = max_lines
        self._max_mb = max_mb

    async def answer_all(self, questions: list[Question]) -> None:
        """Answer the questions of a round.

        Raises:
            UserError: see :class:`Runner`, or nothing of a file was answered.
        """
        waiting = {request_key(one.body): one for one in questions}
        while self._take_answers(waiting):
            bodies = {key: one.body for key, one in waiting.items()}
            requests = write_requests(self._folder, bodies, self._max_lines, self._max_mb)
            await self._runner.run(requests, {one.data_class for one in waiting.values()})

    def _take_answers(self, waiting: dict[str, Question]) -> bool:
        """Answer what the folder's files answer; return whether anything is left waiting."""
        answers: dict[str, dict[str, Any]] = {}
        failures: dict[str, list[Line]] = {}
        for path in sorted(self._folder.glob("answers-*.jsonl")):
            for line in _answered_lines(path):
                if line.answer is not None:
                    answers.setdefault(line.key, line.answer)
                else:
                    failures.setdefault(line.key, []).append(line)
        endpoint = self._runner.endpoint
        for key in list(waiting):
            failed = failures.get(key, [])
            if key in answers:
                tried = {"attempts": len(failed) + 1, "endpoint": endpoint}
                waiting.pop(key).answer.set_result(answers[key] | tried)
            elif len(failed) >= _TRIES or any(line.final for line in failed):
                waiting.pop(key).answer.set_result(no_answer(len(failed), endpoint))
        return bool(waiting)


def _answered_lines(path: Path) -> list[Line]:
    """Return the lines of a file of answers.

    Raises:
        UserError: nothing in it is answered, so that going on would be in vain; the file is
            removed, so that its questions can be asked again.
    """
    lines = list(read_answers(path))
    if any(line.answer is not None for line in lines):
        return lines
    path.unlink()
    kinds = Counter(line.failure for line in lines)
    said = ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items()))
    raise UserError(
        f"{path}: none of its questions was answered ({said or 'it is empty'}), and it is removed; "
        "check the writer's model and parameters, and run again"
    )


@asynccontextmanager
async def open_batch(
    settings: dict[str, Any], state: RunState, patience: Patience, folder: Path
) -> AsyncIterator[Gatherer]:
    """Yield the asker of a writer with ``backend: batch``.

    Args:
        settings: the writer's block.
        state: of the run.
        patience: bounds of the retries.
        folder: for the job's files.
    """
    bounds = settings["max_lines"], settings["max_mb"]
    if settings["mode"] == "files":
        runner = UserRuns(settings["model"])
        yield Gatherer(BatchWriter(folder, runner, *bounds).answer_all, state)
        return
    # Files go up and down one after another.
    endpoint = read_endpoint(settings | {"concurrency": 1})
    async with Servers(endpoint, patience, state) as servers:
        api = BatchApi(endpoint, servers, state, patience, settings["poll_s"])
        yield Gatherer(BatchWriter(folder, api, *bounds).answer_all, state)
