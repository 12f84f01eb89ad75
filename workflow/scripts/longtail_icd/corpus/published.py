"""A corpus beside the published figures of the corpus it should be."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from longtail_icd.common.errors import UserError


def read_published(path: str | Path, name: str) -> list[dict[str, Any]]:
    """Return the published figures of a corpus, each with its source in words.

    Args:
        path: resources/published_figures.yaml.
        name: a key under ``corpora``.

    Returns:
        Per figure: figure (a path into :func:`longtail_icd.corpus.describe.describe`), value,
        tolerance (the largest difference that still agrees), verified, source.

    Raises:
        UserError: no such corpus.
    """
    content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if name not in content["corpora"]:
        raise UserError(
            f"corpus.published: {name}: no figures in {Path(path).name}; it has "
            f"{', '.join(content['corpora'])}"
        )
    return [
        {"tolerance": 0, "verified": True, **line, "source": content["sources"][line["source"]]}
        for line in content["corpora"][name]
    ]


def find_figure(figures: Mapping[str, Any], path: str) -> float | None:
    """Return the figure at a path such as ``documents.train``."""
    value: Any = figures
    for key in path.split("."):
        value = value[key]
    return value


def compare(
    figures: Mapping[str, Any], published: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the published figures with what is found here, and whether both agree.

    A figure that could not be computed (of no notes) agrees with nothing.
    """
    lines = []
    for line in published:
        here = find_figure(figures, line["figure"])
        agrees = here is not None and abs(here - line["value"]) <= line["tolerance"]
        lines.append(
            {
                "figure": line["figure"],
                "here": here,
                "published": line["value"],
                "tolerance": line["tolerance"],
                "agrees": agrees,
                "verified": line["verified"],
                "source": line["source"],
            }
        )
    return lines


def as_table(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the comparison as aligned text for a log."""
    rows = [("figure", "here", "published", "±", "")]
    for line in lines:
        numbers = (line["here"], line["published"], line["tolerance"])
        verdict = "agrees" if line["agrees"] else "DIFFERS"
        mark = "" if line["verified"] else " (published figure unverified)"
        written = ("-" if number is None else f"{number:,}" for number in numbers)
        rows.append((line["figure"], *written, verdict + mark))
    name, *widths = (max(len(row[column]) for row in rows) for column in range(4))
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(name),
                *(cell.rjust(width) for cell, width in zip(row[1:4], widths, strict=True)),
                row[4],
            ]
        ).rstrip()
        for row in rows
    )
