"""A page to browse a recipe's notes: evidence marked per code, verdicts, reasons, prompts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.common.tables import read_table, scan_table
from longtail_icd.common.tiers import TIERS
from longtail_icd.generation.quality.assessment import of_requests
from longtail_icd.generation.quality.pages import render
from longtail_icd.generation.quality.samples import by_chance
from longtail_icd.generation.quality.spans import Piece, pieces
from longtail_icd.generation.requests import Request, requests_of

REJECTED = 0.25  # of the notes of a tier, if there are so many
NO_VERDICT = "rejected, no labels"


@dataclass(frozen=True)
class ShownCode:
    """A code of a note: what the request says of it, and what screening found.

    Attributes:
        number: as it stands beside the evidence, from 1.
        code: the code.
        role: anchor, companion or extra.
        title: of the code.
        wording: asked for; empty for a code that was not.
        style: of the wording.
        verdict: of the screening.
        weight: as a label; null: no label.
    """

    number: int
    code: str
    role: str
    title: str
    wording: str
    style: str
    verdict: str
    weight: float | None


@dataclass(frozen=True)
class ShownNote:
    """A note as the page shows it; messages are pairs of role and content."""

    request_id: str
    tier: str
    status: str
    reasons: list[str]
    model: str
    words: int
    pieces: list[Piece]
    codes: list[ShownCode]
    messages: list[tuple[str, str]]


def pick_notes(notes: pl.DataFrame, most: int, seed: int) -> list[str]:
    """Return the ids of notes to show, tier by tier, each with good notes before rejected ones.

    Of every tier with notes about as many; of these up to a quarter rejected ones, more only
    where there are not enough good ones.

    Args:
        notes: columns request_id, status, tier.
        most: notes of the page.
        seed: of the draw.
    """
    tiers = [tier for tier in TIERS if tier in notes["tier"]]
    chosen = []
    for place, tier in enumerate(tiers):
        quota = most * (place + 1) // len(tiers) - most * place // len(tiers)
        ok, rejected = (
            by_chance(notes.filter(tier=tier, status=status)["request_id"], "gallery", seed)
            for status in ("ok", "rejected")
        )
        bad = min(len(rejected), max(int(REJECTED * quota), quota - len(ok)))
        chosen += ok[: quota - bad] + rejected[:bad]
    return chosen


def _messages(request: Request) -> list[tuple[str, str]]:
    said = [(one["role"], one["content"]) for chat in request.chats for one in chat]
    if request.follow_up is not None:
        said.append(("user, after the plan", request.follow_up))
    around = [("real text before", request.before), ("real text behind", request.after)]
    return said + [(role, text) for role, text in around if text]


def _codes(
    request: Request, labels: list[dict[str, Any]], titles: Mapping[str, str]
) -> list[ShownCode]:
    """Return the codes asked for, the anchor first, then those that screening added."""
    found = {label["code"]: label for label in labels}
    asked = {known["code"]: known for known in request.knowledge}
    return [
        ShownCode(
            number,
            code,
            (asked.get(code) or found[code])["role"],
            titles.get(code, ""),
            asked.get(code, {}).get("wording", ""),
            asked.get(code, {}).get("style", ""),
            found[code]["verdict"] if code in found else NO_VERDICT,
            found[code]["weight"] if code in found else None,
        )
        for number, code in enumerate(dict.fromkeys([*asked, *found]), start=1)
    ]


def shown_note(
    note: dict[str, Any],
    request: Request,
    labels: list[dict[str, Any]],
    titles: Mapping[str, str],
) -> ShownNote:
    """Return what the page shows of a note.

    Args:
        note: a row of `generation/notes` with its tier.
        request: that it was written for.
        labels: its rows of `generation/labels`.
        titles: of all codes.
    """
    codes = _codes(request, labels, titles)
    evidence = {
        label["code"]: [(span["start"], span["end"]) for span in label["evidence"]]
        for label in labels
    }
    return ShownNote(
        note["request_id"],
        note["tier"],
        note["status"],
        [reason.replace("_", " ") for reason in note["reasons"]],
        note["model"],
        len(note["text"].split()),
        pieces(note["text"], [evidence.get(one.code, []) for one in codes]),
        codes,
        _messages(request),
    )


def titles_of(tiers: pl.DataFrame, taxonomy: pl.DataFrame) -> dict[str, str]:
    """Return the title of each code of the label space; empty for one without."""
    known = tiers.join(taxonomy, on=["version", "code"], how="left")
    return dict(known.select("code", pl.col("title").fill_null("")).iter_rows())


def read_notes(
    files: Mapping[str, str | Path], prompts: Iterable[str | Path], notes: int, seed: int
) -> list[ShownNote]:
    """Return the notes to show; of the texts and prompts only theirs are held.

    Args:
        files: notes and labels of the recipe; tiers and codes.
        prompts: tables `generation/prompts`, one per shard.
        notes: of the page, at most.
        seed: of the draw.

    Raises:
        UserError: a file is missing or does not fit its schema.
    """
    tiers = read_table(files["tiers"], "plan/tiers")
    titles = titles_of(tiers, read_table(files["codes"], "terminology/codes"))
    written = scan_table(files["notes"], "generation/notes").join(
        tiers.lazy().select("tier", anchor="code"), on="anchor"
    )
    ids = pick_notes(written.select("request_id", "status", "tier").collect(), notes, seed)
    asked = of_requests(ids)
    rows = written.filter(asked).collect(engine="streaming").iter_rows(named=True)
    by_id = {row["request_id"]: row for row in rows}
    labels = scan_table(files["labels"], "generation/labels").filter(asked).collect()
    found = labels.rows_by_key("request_id", named=True)
    shards = pl.concat([scan_table(path, "generation/prompts") for path in prompts])
    prompted = requests_of(shards.filter(asked).collect(engine="streaming"))
    requests = {request.request_id: request for request in prompted}
    return [shown_note(by_id[one], requests[one], found.get(one, []), titles) for one in ids]


def gallery_page(
    notes: list[ShownNote], recipe: str, corpus: str, restricted: str | None, template: str | Path
) -> str:
    """Return the page.

    Args:
        notes: in their order.
        recipe: its name.
        corpus: its name.
        restricted: the licence that closes the page to others; null: anyone may read it.
        template: the Jinja2 template.

    Raises:
        UserError: the template is broken.
    """
    return render(template, notes=notes, recipe=recipe, corpus=corpus, restricted=restricted)
