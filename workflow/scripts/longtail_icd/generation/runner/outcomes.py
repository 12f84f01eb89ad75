"""What came back from a server, sorted: an answer, a failure that passes, or one that does not."""

from dataclasses import dataclass
from typing import Any

import openai

from longtail_icd.common.errors import UserError
from longtail_icd.generation.runner.patience import retry_after_s

_FATAL = {
    400: "the server rejects the request; check model, max_tokens, max_tokens_key, temperature "
    "and top_p of the writer, and that prompt plus max_tokens fit the model's context",
    401: "the server rejects the key; check the variable named by api_key_env",
    403: "the key has no right to this model; check api_key_env and model",
    404: "no such model or path; base_url usually ends in /v1, and model must be a name that the "
    "server lists under /v1/models",
    422: "the server does not take a field of the request; check max_tokens_key of the writer",
}
# Statuses besides 5xx that pass: request timeout, conflict, too early, too many requests.
PASSING = (408, 409, 425, 429)


@dataclass(frozen=True)
class Failure:
    """A failure that may pass.

    kind names it in logs: ``unreachable`` (no connection), ``connection`` (cut), ``timeout``,
    ``garbled`` (broken JSON), ``invalid`` (no chat completion), or the HTTP status. wait_s is what
    the server asks for.
    """

    kind: str
    wait_s: float | None = None

    @property
    def reached(self) -> bool:
        """Whether anything was listening."""
        return self.kind != "unreachable"

    @property
    def busy(self) -> bool:
        """Whether the server only asks to come back later."""
        return self.kind == "429"

    @property
    def overload(self) -> bool:
        """Whether fewer requests at once would help."""
        return self.kind in ("429", "503", "529", "timeout")


def field(value: Any, name: str) -> Any:
    """Return a field of decoded JSON; None if the value has none or is no object."""
    return value.get(name) if isinstance(value, dict) else None


def answer_of(completion: Any) -> dict[str, Any] | None:
    """Return what is kept of a chat completion, as decoded from JSON; None if it is none.

    Servers differ in what they leave out, so every field is looked at before it is believed.
    """
    choices = field(completion, "choices")
    if not isinstance(choices, list) or not choices:
        return None
    message = field(choices[0], "message")
    text = field(message, "content")
    if message is None or not isinstance(text, str | None):
        return None
    reason = field(choices[0], "finish_reason")
    if field(message, "refusal"):
        reason = "content_filter"
    usage, model = field(completion, "usage"), field(completion, "model")
    tokens = {
        name: count if isinstance(count := field(usage, name), int) else 0
        for name in ("prompt_tokens", "completion_tokens")
    }
    return {
        "text": text or "",
        "finish_reason": reason if isinstance(reason, str) else "",
        "model": model if isinstance(model, str) else "",
        **tokens,
    }


def failure_of(error: openai.APIError, base_url: str) -> Failure:
    """Return the failure that an error of the client stands for, if it may pass.

    Raises:
        UserError: it will not pass; one line that names base_url and the remedy. The server's own
            words are left out: some servers quote the prompt in them.
    """
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        if status >= 500 or status in PASSING:
            return Failure(str(status), retry_after_s(error.response.headers))
        if 300 <= status < 400:
            fix = (
                "the server sends requests elsewhere, which is not followed; set the final address"
            )
        else:
            fix = _FATAL.get(status, "the server rejects the request")
        raise UserError(f"base_url {base_url}: HTTP status {status}: {fix}")
    if isinstance(error, openai.APITimeoutError):
        connecting = type(error.__cause__).__name__ == "ConnectTimeout"
        return Failure("unreachable" if connecting else "timeout")
    if isinstance(error, openai.APIConnectionError):
        connecting = type(error.__cause__).__name__ == "ConnectError"
        return Failure("unreachable" if connecting else "connection")
    return Failure("invalid")


def given_up(kind: str, base_url: str) -> UserError:
    """Return the one error that ends a run whose endpoint does not come back."""
    reasons = {
        "unreachable": "nothing answers there; start the server, or correct host and port",
        "connection": "the server keeps cutting connections; look at its log",
        "timeout": "the server does not answer in time; raise timeout_s or lower concurrency",
        "garbled": "its answers are broken JSON; look at the server's log, or a proxy before it",
        "invalid": "its answers are no chat completions; base_url usually ends in /v1",
        "429": "the server has been too busy for too long; lower concurrency, or try again later",
    }
    reason = reasons.get(kind, f"the server keeps failing with HTTP status {kind}; look at its log")
    return UserError(f"base_url {base_url}: {reason}. Answers received so far are kept")
