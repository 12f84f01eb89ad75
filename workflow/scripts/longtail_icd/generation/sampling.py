"""What, beside the prompt, determines an answer."""

from dataclasses import dataclass
from typing import Any

from longtail_icd.generation.requests import Chat


@dataclass(frozen=True)
class Sampling:
    """Model and sampling parameters; part of a question's identity."""

    model: str
    max_tokens: int
    max_tokens_key: str
    temperature: float
    top_p: float

    def body(self, chat: Chat, seed: int) -> dict[str, Any]:
        """Return the complete body of a question: the fields every server takes, no others."""
        return {
            "model": self.model,
            "messages": chat,
            self.max_tokens_key: self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": seed,
        }
