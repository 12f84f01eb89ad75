"""What the screen of one shard knows beside the note."""

from dataclasses import dataclass, field
from typing import Protocol

from longtail_icd.generation.screening.facts import TrainFacts


class Verifier(Protocol):
    """Anything that says how probable codes are for a note, such as a trained coder."""

    def probabilities(self, text: str) -> dict[str, float]:
        """Return the probability (0 to 1) of each code that it knows."""


class NoVerifier:
    """Knows nothing."""

    def probabilities(self, text: str) -> dict[str, float]:
        """Return nothing."""
        return {}


@dataclass(frozen=True)
class ScreenContext:
    """What the screen of one shard knows.

    Attributes:
        exemplars: per request_id the whole text of its example notes, or nothing.
        train: null where no check needs it.
        verifier: a trained coder, or one that knows nothing.
    """

    exemplars: dict[str, str | None] = field(default_factory=dict)
    train: TrainFacts | None = None
    verifier: Verifier = field(default_factory=NoVerifier)
