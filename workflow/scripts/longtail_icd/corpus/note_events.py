"""The rows of NOTEEVENTS: discharge summaries among everything else that a ward writes."""

from typing import Any

import numpy as np
import polars as pl

from longtail_icd.corpus.phenotypes import Notes
from longtail_icd.corpus.prose import (
    DENIALS,
    SECOND_MENTION,
    WORDS_SIGMA,
    Mention,
    Stay,
    frame_of,
    pick,
    write_summary,
)
from longtail_icd.corpus.wording import Wording

ADDENDUM = 0.08  # share of summaries that got one
LENGTH_BY_LABELS = 0.7  # correlation of a note's length with its number of codes (ours)
OTHER_NOTES = 1.0  # notes of other categories per admission
WITHOUT_ADMISSION = 0.15  # share of those that belong to no admission


class Voice:
    """What the hospital calls each code of the pool: draws a wording for a mention."""

    def __init__(self, pool: pl.DataFrame, wordings: list[list[tuple[Wording, float]]]):
        self._frames = pool.select("kind", "chapter").rows()
        self._texts = [[wording for wording, _ in one] for one in wordings]
        self._shares = [np.array([share for _, share in one]) for one in wordings]

    def mention(self, rng: np.random.Generator, code: int) -> Mention:
        """Draw one of the code's wordings, with the sentences it fits in."""
        shares = self._shares[code]
        wording = self._texts[code][rng.choice(len(shares), p=shares / shares.sum())]
        return Mention(wording.text, frame_of(wording, *self._frames[code]))


def _mask(date: Any) -> str:
    return f"{date.year}-{date.month}-{date.day}"


def _stay(admission: dict[str, Any]) -> Stay:
    admitted, born = admission["ADMITTIME"], admission["DOB"]
    return Stay(
        admitted=_mask(admitted),
        discharged=_mask(admission["DISCHTIME"]),
        born=_mask(born),
        sex=admission["GENDER"],
        age=admitted.year - born.year - ((admitted.month, admitted.day) < (born.month, born.day)),
    )


def _draw_denials(
    rng: np.random.Generator, counts: np.ndarray, own: np.ndarray, voice: Voice
) -> list[Mention]:
    """Mention a few codes that the note does not have; frequent ones more often."""
    weight = np.sqrt(counts + 1.0)
    drawn = rng.choice(len(counts), size=rng.poisson(DENIALS), p=weight / weight.sum())
    return [voice.mention(rng, code) for code in drawn if code not in own]


def _row(admission: dict[str, Any], category: str, description: str, text: str) -> dict[str, Any]:
    return {
        "SUBJECT_ID": admission["SUBJECT_ID"],
        "HADM_ID": admission["HADM_ID"],
        "CHARTDATE": admission["DISCHTIME"].replace(hour=0, minute=0),
        "CATEGORY": category,
        "DESCRIPTION": description,
        "TEXT": text,
    }


def _other_notes(
    rng: np.random.Generator, prose: dict[str, Any], admission: dict[str, Any]
) -> list[dict[str, Any]]:
    rows = []
    categories = list(prose["other_notes"])
    for _ in range(rng.poisson(OTHER_NOTES)):
        category = pick(rng, categories)
        text = pick(rng, prose["other_notes"][category])
        row = _row(admission, category, "Report", f"[**{_mask(admission['ADMITTIME'])}**]\n{text}")
        row["CHARTDATE"] = admission["ADMITTIME"].replace(hour=0, minute=0)
        row["HADM_ID"] = None if rng.random() < WITHOUT_ADMISSION else admission["HADM_ID"]
        rows.append(row)
    return rows


def draw_lengths(rng: np.random.Generator, sizes: list[int], words_per_note: float) -> np.ndarray:
    """Draw the lognormal number of words aimed at per note; more codes, more words."""
    logs = np.log1p(sizes)
    by_labels = (logs - logs.mean()) / max(logs.std(), 1e-9)
    alone = rng.normal(size=len(sizes))
    mixed = LENGTH_BY_LABELS * by_labels + np.sqrt(1 - LENGTH_BY_LABELS**2) * alone
    return words_per_note * np.exp(WORDS_SIGMA * mixed)


def write_notes(
    rng: np.random.Generator,
    prose: dict[str, Any],
    admissions: pl.DataFrame,
    labels: list[np.ndarray],
    counts: np.ndarray,
    voice: Voice,
    words_per_note: float,
) -> pl.DataFrame:
    """Write every note of the hospital.

    Args:
        rng: source of chance.
        prose: as :func:`longtail_icd.corpus.prose.read_prose` returns it.
        admissions: those with a summary, in the order of ``labels``.
        labels: the codes (indices) of each admission.
        counts: notes per code.
        voice: draws wordings.
        words_per_note: median length of a summary in words.

    Returns:
        Rows of NOTEEVENTS without ROW_ID, in no order of time, as in the release.
    """
    rows = []
    lengths = draw_lengths(rng, [len(own) for own in labels], words_per_note)
    stays = admissions.iter_rows(named=True)
    for admission, own, words in zip(stays, labels, lengths, strict=True):
        times = 1 + (rng.random(len(own)) < SECOND_MENTION)
        mentions = [voice.mention(rng, code) for code in np.repeat(own, times)]
        denials = _draw_denials(rng, counts, own, voice)
        text = write_summary(rng, prose, _stay(admission), mentions, denials, words)
        rows.append(_row(admission, "Discharge summary", "Report", text))
        if rng.random() < ADDENDUM:
            addendum = f"Addendum:\n{pick(rng, prose['addenda'])}\n"
            rows.append(_row(admission, "Discharge summary", "Addendum", addendum))
        rows.extend(_other_notes(rng, prose, admission))
    schema = {
        "SUBJECT_ID": pl.Int64,
        "HADM_ID": pl.Int64,
        "CHARTDATE": pl.Datetime("us"),
        "CATEGORY": pl.String,
        "DESCRIPTION": pl.String,
        "TEXT": pl.String,
    }
    notes = pl.DataFrame(rows, schema=schema).with_row_index("ROW_ID", offset=1)
    return notes[rng.permutation(notes.height)].with_columns(
        pl.col("CHARTDATE").dt.strftime("%Y-%m-%d")
    )


def labels_of_notes(notes: Notes, note: np.ndarray, code: np.ndarray) -> list[np.ndarray]:
    """Return the codes (indices, sorted) of each note."""
    order = np.lexsort((code, note))
    ends = np.cumsum(np.bincount(note, minlength=len(notes.patient)))[:-1]
    return np.split(code[order], ends)
