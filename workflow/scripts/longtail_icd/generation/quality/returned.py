"""A returned review sheet, checked, and what it says of real and of synthetic notes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.generation.quality.estimates import Estimate, mean, proportion, ratio
from longtail_icd.generation.quality.review import (
    ANSWERS,
    COLUMNS,
    GRADES,
    KEY_COLUMNS,
    SOURCES,
)

_ALLOWED = {"support": ANSWERS, "plausibility": GRADES, "guess": SOURCES}


@dataclass(frozen=True)
class Score:
    """One figure of the review; source: real, synthetic, or both."""

    what: str
    source: str
    estimate: Estimate


def _read_csv(path: str | Path, columns: Iterable[str], remedy: str) -> pl.DataFrame:
    """Return the columns as stripped strings, and as row each row's number in a spreadsheet."""
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        raise UserError(f"{path}: not a readable CSV file in UTF-8; {remedy}") from None
    for column in columns:
        if column not in frame.columns:
            raise UserError(f"{path}: column {column} is missing; {remedy}")
    return frame.select(pl.col(columns).str.strip_chars().fill_null("")).with_row_index(
        "row", offset=2
    )


def read_sheet(path: str | Path, key: pl.DataFrame) -> pl.DataFrame:
    """Read a returned sheet; columns note, source, code, support, plausibility, guess.

    Capitals and blanks around an answer do not matter; an empty cell is no answer. Plausibility
    and guess, asked once a note, may be repeated in its other rows; they count once.

    Args:
        path: of the sheet.
        key: columns note and source.

    Raises:
        UserError: a column is missing, or a row has an unknown note, a value that is not asked
            for, or a code that the note had before; the file and the row are named.
    """
    sheet = _read_csv(path, COLUMNS, "return the sheet with all its columns")
    answers = sheet.with_columns(pl.col(list(_ALLOWED)).str.to_lowercase())
    known = set(key["note"])
    seen: set[tuple[str, str]] = set()
    for row in answers.iter_rows(named=True):
        where = f"{path}: row {row['row']}"
        if row["note"] not in known:
            raise UserError(
                f"{where}: note {row['note'][:20]} is not in the key; is it another sheet's key?"
            )
        if (row["note"], row["code"]) in seen:
            raise UserError(
                f"{where}: note and code stand in an earlier row, too; keep one of them"
            )
        seen.add((row["note"], row["code"]))
        for column, allowed in _ALLOWED.items():
            if row[column] and row[column] not in allowed:
                raise UserError(
                    f"{where}: {column} is none of {', '.join(allowed)}; correct it, or leave it "
                    "empty"
                )
    once = [_once(path, answers, column) for column in ("plausibility", "guess")]
    return answers.with_columns(once).join(
        key.select("note", "source"), on="note", maintain_order="left"
    )


def _once(path: str | Path, answers: pl.DataFrame, column: str) -> pl.Series:
    """Return a column whose answer stands in one row per note; raise if a note has two."""
    said: dict[str, str] = {}
    kept = []
    for row, note, answer in answers.select("row", "note", column).iter_rows():
        if answer and said.get(note, answer) != answer:
            raise UserError(
                f"{path}: row {row}: {column} differs from that of an earlier row of the same "
                "note; it is asked once a note"
            )
        kept.append("" if note in said else answer)
        if answer:
            said[note] = answer
    return pl.Series(column, kept)


def read_key(path: str | Path) -> pl.DataFrame:
    """Read the key of a sheet.

    Raises:
        UserError: the file is missing or is no key.
    """
    key = _read_csv(path, KEY_COLUMNS, "name the review_key.csv that was made with the sheet")
    for row in key.filter(~pl.col("source").is_in(SOURCES)).iter_rows(named=True):
        raise UserError(f"{path}: row {row['row']}: source is none of {', '.join(SOURCES)}")
    return key


def _answered(sheets: pl.DataFrame, column: str) -> pl.DataFrame:
    return sheets.filter(pl.col(column) != "")


def _plausibility(sheets: pl.DataFrame) -> Estimate:
    grades = _answered(sheets, "plausibility").with_columns(pl.col("plausibility").cast(pl.Float64))
    return mean(
        grades.group_by("note", maintain_order=True).agg(pl.mean("plausibility"))["plausibility"]
    )


def _support(sheets: pl.DataFrame) -> Estimate:
    yes = (pl.col("support") == "yes").sum()
    answers = _answered(sheets, "support").group_by("note", maintain_order=True)
    notes = answers.agg(yes=yes, count=pl.len())
    return ratio(notes["yes"].to_numpy(), notes["count"].to_numpy())


def _told_apart(sheets: pl.DataFrame) -> Estimate:
    guesses = _answered(sheets, "guess")
    return proportion(guesses.filter(pl.col("guess") == pl.col("source")).height, guesses.height)


def score_review(sheets: pl.DataFrame) -> list[Score]:
    """Return plausibility and support by source, and how often a guess was right.

    Plausibility is the mean grade (1 to 5) of a note over reviewers, then over notes; support the
    share of codes that are answered with yes. Intervals: 95 %, by resampling notes; of guesses,
    which at 0.5 are no better than tossing a coin, Wilson's.

    Args:
        sheets: what :func:`read_sheet` returns, of all reviewers one below the other.

    Raises:
        UserError: nothing was answered.
    """
    if sheets.select((pl.col(list(_ALLOWED)) == "").all()).row(0) == (True,) * len(_ALLOWED):
        raise UserError("the sheets have no answer; fill them in")
    by_source = {source: sheets.filter(source=source) for source in SOURCES}
    return [
        *(Score("plausibility", source, _plausibility(one)) for source, one in by_source.items()),
        *(Score("support", source, _support(one)) for source, one in by_source.items()),
        Score("guessed right", "both", _told_apart(sheets)),
    ]


def in_words(scores: list[Score]) -> str:
    """Return the scores in lines. Before: plausibility of 2 real notes.

    After: ``plausibility, real: 4.50 [4.00, 5.00], n = 2``.
    """
    lines = []
    for score in scores:
        found = score.estimate
        value = "no answer" if found.value is None else f"{found.value:.2f}"
        between = "" if found.ci_low is None else f" [{found.ci_low:.2f}, {found.ci_high:.2f}]"
        lines.append(f"{score.what}, {score.source}: {value}{between}, n = {found.n}")
    return "\n".join(lines)
