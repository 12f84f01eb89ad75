"""What a model's tokens cost, and how fast they come."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from longtail_icd.common.errors import UserError

MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """A model's price in US dollars per million tokens.

    Args:
        input: of prompts; no discount for cached ones is counted on.
        output: of answers.
        source: where the figures are from, with their date.
        tokens_per_s: tokens answered per second by all servers together; None: not known.
    """

    input: float
    output: float
    source: str
    tokens_per_s: float | None = None

    def usd(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Return the price of so many tokens."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / MILLION


def load_prices(path: str | Path, own: dict[str, dict[str, Any]]) -> dict[str, Price]:
    """Return prices by model: those of the file, and over them the user's own.

    Args:
        path: ``resources/prices.yaml``.
        own: ``generation.prices`` of the configuration.

    Raises:
        UserError: a row of the file lacks a figure, its date or its source.
    """
    rows = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    prices = {}
    for model, row in rows.items():
        try:
            source = f"{row.pop('source')}, {row.pop('date')}"
            prices[model] = Price(**row, source=source)
        except (KeyError, TypeError):
            raise UserError(f"{path}: {model}: needs input, output, source and date") from None
    return prices | {model: Price(**row, source="generation.prices") for model, row in own.items()}
