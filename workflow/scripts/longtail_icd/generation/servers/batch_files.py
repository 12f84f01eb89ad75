"""Files in the OpenAI Batch format, which vLLM's ``run-batch`` reads too.

A file of requests holds one question a line; its answers come back in any order, and are told apart
by ``custom_id``, which is the question's key in the journal. A file is named after the keys that it
holds, so that the same questions always make the same file:
``requests-HASH.jsonl`` is answered by ``answers-HASH.jsonl``.

Source: OpenAI's guide to the Batch API; the pages on ``run-batch`` in vLLM's documentation.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_path
from longtail_icd.generation.runner.outcomes import PASSING, answer_of, field

URL = "/v1/chat/completions"


@dataclass(frozen=True)
class Line:
    """One line of a file of answers.

    Attributes:
        key: whose answer it is.
        answer: text, finish_reason, model, prompt_tokens, completion_tokens; None: not answered.
        failure: the HTTP status or the provider's code if it was not; never its words, which may
            quote the prompt.
        final: no other try will help.
    """

    key: str
    answer: dict[str, Any] | None
    failure: str = ""
    final: bool = False


def request_line(key: str, body: dict[str, Any]) -> bytes:
    """Return the line that asks a question, its line feed included."""
    line = {"custom_id": key, "method": "POST", "url": URL, "body": body}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _parts(
    bodies: dict[str, dict[str, Any]], max_lines: int, max_bytes: float
) -> Iterator[dict[str, bytes]]:
    """Yield the lines of each file by key, in the order of the bodies."""
    part: dict[str, bytes] = {}
    size = 0
    for key, body in bodies.items():
        line = request_line(key, body)
        if len(line) > max_bytes:
            raise UserError(
                f"max_mb: one request alone has {len(line) / 1e6:.3f} MB, more than a file may "
                f"have ({max_bytes / 1e6:g} MB); raise max_mb"
            )
        if part and (len(part) >= max_lines or size + len(line) > max_bytes):
            yield part
            part, size = {}, 0
        part[key] = line
        size += len(line)
    if part:
        yield part


def _keys_of(requests: Path) -> set[str]:
    with requests.open("rb") as stream:
        return {json.loads(line)["custom_id"] for line in stream}


def _kept(folder: Path, keys: set[str]) -> dict[Path, set[str]]:
    """Return the folder's files of requests that are still to be answered, with their keys.

    A file is, for as long as any of its questions waits: it may be under way. Others are removed.
    """
    kept = {}
    for path in sorted(folder.glob("requests-*.jsonl")):
        held = _keys_of(path)
        if answers_path(path).exists() or not held & keys:
            path.unlink()
        else:
            kept[path] = held
    return kept


def write_requests(
    folder: Path, bodies: dict[str, dict[str, Any]], max_lines: int, max_mb: float
) -> list[Path]:
    """Return files of requests that hold all questions; those that no file holds yet are written.

    Args:
        folder: made, for its owner alone, if it is not there.
        bodies: Chat Completions bodies by key.
        max_lines: most lines of a file.
        max_mb: most megabytes (10^6 bytes) of a file.

    Raises:
        UserError: one question alone is larger than a file may be.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = _kept(folder, set(bodies))
    held = set().union(*kept.values())
    new = {key: body for key, body in bodies.items() if key not in held}
    paths = list(kept)
    for part in _parts(new, max_lines, max_mb * 1e6):
        name = hashlib.blake2b("".join(part).encode(), digest_size=8).hexdigest()
        paths.append(folder / f"requests-{name}.jsonl")
        with atomic_path(paths[-1]) as temporary:
            temporary.write_bytes(b"".join(part.values()))
    return paths


def answers_path(requests: Path) -> Path:
    """Return the file that the answers to a file of requests belong in."""
    return requests.with_name(requests.name.replace("requests-", "answers-", 1))


def read_answer_line(line: bytes) -> Line | None:
    """Return what a line of answers says; None if it is torn or says nothing of a question.

    Before: ``{"custom_id": "ab", "response": {"status_code": 429, …}, "error": null}``.
    After: ``Line("ab", None, "HTTP status 429", final=False)``.
    """
    try:
        said = json.loads(line)
    except ValueError:
        return None
    key = field(said, "custom_id")
    if not isinstance(key, str):
        return None
    response, error = field(said, "response"), field(said, "error")
    status = field(response, "status_code")
    if status == 200:
        answer = answer_of(field(response, "body"))
        return Line(key, answer, "" if answer else "no chat completion")
    if isinstance(status, int):
        final = 400 <= status < 500 and status not in PASSING
        return Line(key, None, f"HTTP status {status}", final)
    # The batch expired or was cancelled before the line's turn.
    code = field(error, "code")
    return Line(key, None, code if isinstance(code, str) and code.isidentifier() else "no response")


def read_answers(path: Path) -> Iterator[Line]:
    """Yield the lines of a file of answers; what is torn, as in a cut file, is passed over."""
    with path.open("rb") as stream:
        yield from filter(None, map(read_answer_line, stream))
