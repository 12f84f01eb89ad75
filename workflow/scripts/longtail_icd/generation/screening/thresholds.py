"""What a recipe's screening lets pass."""

from dataclasses import dataclass
from typing import Any

# Faults that one more request may correct; any other note is written anew.
REPAIRABLE = ("verbatim", "missing_code", "extra_code")


@dataclass(frozen=True)
class Thresholds:
    """A recipe's block ``screening``: the highest value of each check that passes; null: off.

    docs/screening.md says what each value is. ``near_duplicate`` is for the caller, who knows
    the other notes (duplicates.py).
    """

    min_words: int
    max_words: int
    max_source_overlap: float
    declined: int | None = None
    artefacts: int | None = None
    placeholders: int | None = None
    code_numerals: int | None = None
    cut: int | None = None
    verbatim: float | None = None
    missing_code: float | None = None
    extra_code: int | None = None
    near_duplicate: float | None = None
    memorised: float | None = None
    length: float | None = None
    style: float | None = None
    verifier: float | None = None
    relabel: bool = False

    @property
    def by_meaning(self) -> bool:
        """Whether a check looks at what the note says of its codes."""
        return any(getattr(self, name) is not None for name in REPAIRABLE) or self.relabel

    @property
    def needs_train_facts(self) -> bool:
        """Whether a check needs what the train notes and the label space teach."""
        others = (self.memorised, self.length, self.style, self.placeholders)
        return self.by_meaning or any(one is not None for one in others)


def read_thresholds(settings: dict[str, Any]) -> Thresholds:
    """Return the thresholds of a recipe's block ``screening``; who judges and verifies is none."""
    others = ("judge", "coder")
    return Thresholds(**{name: value for name, value in settings.items() if name not in others})
