"""A blinded review sheet: real and synthetic notes in chance order, and a key kept apart."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.hashing import hash64
from longtail_icd.common.tables import read_table, scan_table
from longtail_icd.generation.quality.gallery import titles_of
from longtail_icd.generation.quality.pages import render
from longtail_icd.generation.quality.samples import NoteSample, by_chance, read_sample

# One row per note and code; plausibility and guess are asked once, in a note's first row.
COLUMNS = ("note", "code", "title", "support", "plausibility", "guess")
GRADES = ("1", "2", "3", "4", "5")
ANSWERS = ("yes", "no", "unsure")
SOURCES = ("real", "synthetic")
KEY_COLUMNS = ("note", "source", "id")
_RARE = ("tail", "few_shot")


@dataclass(frozen=True)
class ReviewNote:
    """A note for reviewers.

    Attributes:
        name: opaque; says nothing of where the note comes from.
        source: one of :data:`SOURCES`; for the key alone.
        id: note_id or request_id; for the key alone.
        text: of the note.
        codes: pairs of code and title, sorted: nothing tells the anchor.
    """

    name: str
    source: str
    id: str
    text: str
    codes: list[tuple[str, str]]


def mix(
    samples: Mapping[str, NoteSample], titles: Mapping[str, str], seed: int
) -> list[ReviewNote]:
    """Return the notes of both sources in an order by chance, named by their place.

    A name holds a mark of the whole sheet, so that another sheet's key is noticed.

    Args:
        samples: by source; no id is in both.
        titles: of the codes.
        seed: of the order.
    """
    notes = {
        one: (source, text, codes)
        for source, sample in samples.items()
        for one, text, codes in zip(sample.ids, sample.texts, sample.codes, strict=True)
    }
    order = by_chance(notes, "order", seed)
    mark = f"{hash64('|'.join([str(seed), *order])):016x}"[:6]
    mixed = []
    for place, one in enumerate(order, start=1):
        source, text, codes = notes[one]
        said = [(code, titles.get(code, "")) for code in codes]
        mixed.append(ReviewNote(f"{mark}-{place:03d}", source, one, text.strip(), said))
    return mixed


def _rare_first(labels: pl.LazyFrame, tiers: pl.DataFrame, seed: int) -> list[str]:
    """Return the notes that have a code, by chance, those with a rare one first.

    Notes are written for rare codes; real ones without any could be told by that.
    """
    rare = tiers.filter(pl.col("tier").is_in(_RARE))["code"]
    has = labels.group_by("note_id").agg(pl.col("code").is_in(rare.implode()).any()).collect()
    groups = (has.filter(pl.col("code") == wanted)["note_id"] for wanted in (True, False))
    return [one for group in groups for one in by_chance(group, "review", seed)]


def read_review(files: Mapping[str, str | Path], notes: int, seed: int) -> list[ReviewNote]:
    """Return the notes of the sheet, half of them real; only their texts are held.

    Args:
        files: notes and labels of the recipe; train_notes, train_labels; tiers and codes.
        notes: of both sources together.
        seed: of the draw and of the order.

    Raises:
        UserError: a file is missing or does not fit, or there are fewer notes than asked for.
    """
    tiers = read_table(files["tiers"], "plan/tiers")
    space = tiers.lazy().select("code")
    train = scan_table(files["train_notes"], "corpus/notes")
    train_labels = scan_table(files["train_labels"], "corpus/labels").join(space, on="code")
    written = scan_table(files["notes"], "generation/notes")
    labels = scan_table(files["labels"], "generation/labels").filter(pl.col("weight") > 0)
    ok = written.filter(status="ok").join(labels, on="request_id", how="semi")
    ids = {
        "real": _rare_first(train_labels, tiers, seed),
        "synthetic": by_chance(ok.select("request_id").collect()["request_id"], "review", seed),
    }
    wanted = {"real": notes // 2, "synthetic": notes - notes // 2}
    for source, number in wanted.items():
        if len(ids[source]) < number:
            raise UserError(
                f"generation.review.notes: {notes}, but there are only {len(ids[source])} "
                f"{source} notes with codes for {number}; ask for fewer"
            )
    samples = {
        "real": read_sample(ids["real"][: wanted["real"]], train, train_labels, "note_id"),
        "synthetic": read_sample(
            ids["synthetic"][: wanted["synthetic"]], written, labels, "request_id"
        ),
    }
    return mix(samples, titles_of(tiers, read_table(files["codes"], "terminology/codes")), seed)


def _written(columns: tuple[str, ...], rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue()


def review_sheet(notes: list[ReviewNote]) -> str:
    """Return the sheet to fill in as CSV, one row per note and code."""
    return _written(
        COLUMNS,
        [[note.name, code, title, "", "", ""] for note in notes for code, title in note.codes],
    )


def review_key(notes: list[ReviewNote]) -> str:
    """Return as CSV where each note comes from."""
    return _written(KEY_COLUMNS, [[note.name, note.source, note.id] for note in notes])


def review_page(notes: list[ReviewNote], restricted: str | None, template: str | Path) -> str:
    """Return the page that shows the notes and makes the filled-in sheet.

    Args:
        notes: in their order.
        restricted: the licence that closes the page to others; null: anyone may read it.
        template: the Jinja2 template; it gets nothing that tells where a note comes from.

    Raises:
        UserError: the template is broken.
    """
    shown = [{"name": note.name, "text": note.text, "codes": note.codes} for note in notes]
    return render(
        template,
        notes=shown,
        restricted=restricted,
        columns=COLUMNS,
        grades=GRADES,
        answers=ANSWERS,
        sources=SOURCES,
    )
