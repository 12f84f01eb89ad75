"""What the planned notes will cost, as a page to read in a terminal or a browser."""

from collections.abc import Sequence
from typing import Any

from longtail_icd.generation.cost.estimate import COLUMNS

_HEADINGS = ("tier", *(column.replace("_", " ") for column in COLUMNS))
_FORMATS = {"hours": "{:,.1f}", "usd": "{:,.2f}", "usd_with_reserve": "{:,.2f}"}
_SCOPE = """\
Tokens, hours and usd are of the planned requests; reserve ones are asked only where notes fail.
Not counted: a judge, repairs, discounts for cached prompts, answers that are in the journal."""


def _cell(column: str, value: float | None) -> str:
    return "unknown" if value is None else _FORMATS.get(column, "{:,.0f}").format(value)


def _table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the rows as a Markdown table whose columns line up in a terminal, too."""
    cells = [
        list(_HEADINGS),
        *([row["tier"], *(_cell(column, row[column]) for column in COLUMNS)] for row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        f"| {' | '.join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in cells
    ]
    rule = f"|{'|'.join('-' * (width + 1) + ':' for width in widths)}|"
    return [lines[0], rule, *lines[1:]]


def _basis(cost: dict[str, Any]) -> list[str]:
    """Return what the figures were reckoned from, a line each."""
    sizes, price = cost["sizes"], cost["price"]
    tokens = (
        f"{sizes['characters_per_token']:.2f} characters of a prompt per token, "
        f"{sizes['answer_tokens']:,.0f} tokens per answer"
    )
    if sizes["answers"]:
        lines = [f"- sizes, from {sizes['answers']} answers of a pilot: {tokens}"]
    else:
        lines = [f"- sizes, assumed without a pilot: {tokens} (max_tokens, an upper bound)"]
    if price is None:
        lines.append(f"- price of {cost['model']}: unknown; give it in generation.prices")
    else:
        lines.append(
            f"- price of {cost['model']}: {price['input']:g} USD in, {price['output']:g} USD out "
            f"per million tokens ({price['source']})"
        )
    if cost["tokens_per_s"] is not None:
        lines.append(f"- speed: {cost['tokens_per_s']:,.0f} tokens answered per second")
    return lines


def cost_page(costs: Sequence[dict[str, Any]]) -> str:
    """Return the page as Markdown: of each recipe what it costs, and from what that follows.

    Args:
        costs: as rule `estimate_cost` writes them.
    """
    if not costs:
        return "No recipe is written by a language model: there is nothing to pay for.\n"
    lines = ["# What the planned notes will cost", ""]
    for cost in costs:
        lines += [f"## Recipe {cost['recipe']}", "", *_table(cost["rows"]), "", *_basis(cost), ""]
    return "\n".join([*lines, _SCOPE, ""])
