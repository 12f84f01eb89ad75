"""What, beside the prompt, determines an answer."""

from dataclasses import dataclass, field, fields
from typing import Any

from longtail_icd.generation.requests import Chat


@dataclass(frozen=True)
class Sampling:
    """Model and sampling parameters; part of a question's identity.

    Args:
        max_tokens_key: what the server calls the longest answer: max_tokens or
            max_completion_tokens.
        extra: further fields of the body, for one server's own switches.
    """

    model: str
    max_tokens: int
    max_tokens_key: str
    temperature: float
    top_p: float
    extra: dict[str, Any] = field(default_factory=dict)

    def body(self, chat: Chat, seed: int) -> dict[str, Any]:
        """Return the complete body of a question: the fields every server takes, no others."""
        return {
            "model": self.model,
            "messages": chat,
            self.max_tokens_key: self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": seed,
            **self.extra,
        }


def read_sampling(settings: dict[str, Any]) -> Sampling:
    """Return the sampling of one block of ``writers:``."""
    return Sampling(
        **{one.name: settings[one.name] for one in fields(Sampling) if one.name in settings}
    )
