"""The discharge summaries of a block of documents: who is written about, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.corpus.simulator.chance import Chances
from longtail_icd.corpus.simulator.chart import Chart
from longtail_icd.corpus.simulator.prose import (
    DENIALS,
    SECOND_MENTION,
    WORDS_SIGMA,
    Mention,
    Stay,
    frame_of,
    write_summary,
)
from longtail_icd.corpus.simulator.wording import Wording

LENGTH_BY_LABELS = 0.7  # correlation of a note's length with its number of codes (ours)


@dataclass(frozen=True)
class Block:
    """Documents whose notes are written from one stream of random numbers.

    Attributes:
        number: of the block; the stream depends on it and on the hospital's seed alone.
        admissions: one per document: SUBJECT_ID, HADM_ID, ADMITTIME, DISCHTIME, GENDER, DOB,
            NOTE_SEQ.
        labels: the codes (indices into the pool) of each document.
        many_labels: how far above the mean its number of codes is, in standard deviations.
    """

    number: int
    admissions: list[dict[str, Any]]
    labels: list[np.ndarray]
    many_labels: np.ndarray


class Voice:
    """What the hospital calls each code of the pool: draws a wording for a mention."""

    def __init__(self, pool: pl.DataFrame, wordings: list[list[tuple[Wording, float]]]):
        frames = pool.select("kind", "chapter").iter_rows()
        self._mentions = [
            [Mention(wording.text, frame_of(wording, *frame)) for wording, _ in own]
            for frame, own in zip(frames, wordings, strict=True)
        ]
        self._chances = [Chances([share for _, share in own]) for own in wordings]

    def mention(self, rng: np.random.Generator, code: int) -> Mention:
        """Draw one of the code's wordings, with the sentences it fits in."""
        return self._mentions[code][self._chances[code].one(rng)]


def standardised(sizes: np.ndarray) -> np.ndarray:
    """Return log(1 + size) in standard deviations from its mean."""
    logs = np.log1p(sizes)
    return (logs - logs.mean()) / max(logs.std(), 1e-9)


def draw_lengths(
    rng: np.random.Generator, many_labels: np.ndarray, words_per_note: float
) -> np.ndarray:
    """Draw the lognormal number of words aimed at per note; more codes, more words."""
    alone = rng.normal(size=len(many_labels))
    mixed = LENGTH_BY_LABELS * many_labels + np.sqrt(1 - LENGTH_BY_LABELS**2) * alone
    return words_per_note * np.exp(WORDS_SIGMA * mixed)


def masked(date: Any) -> str:
    """Return a date as the masks of MIMIC-III show it: ``2101-3-14``."""
    return f"{date.year}-{date.month}-{date.day}"


def _stay(admission: Mapping[str, Any]) -> Stay:
    admitted, born = admission["ADMITTIME"], admission["DOB"]
    return Stay(
        admitted=masked(admitted),
        discharged=masked(admission["DISCHTIME"]),
        born=masked(born),
        sex=admission["GENDER"],
        age=admitted.year - born.year - ((admitted.month, admitted.day) < (born.month, born.day)),
    )


class Scribe:
    """Writes summaries: the prose, the hospital's voice, and what notes are filled with."""

    def __init__(
        self,
        prose: dict[str, Any],
        voice: Voice,
        counts: np.ndarray,
        words_per_note: float,
        chart: Chart | None,
    ):
        """Keep what all summaries share.

        Args:
            prose: as :func:`longtail_icd.corpus.simulator.prose.read_prose` returns it.
            voice: draws wordings.
            counts: notes per code.
            words_per_note: median length of a summary in words.
            chart: what long notes are filled with, or None.
        """
        self.prose = prose
        self.chart = chart
        self._voice = voice
        # Frequent codes are denied more often.
        self._denied = Chances(np.sqrt(counts + 1.0))
        self._words = words_per_note

    def draw_lengths(self, rng: np.random.Generator, block: Block) -> np.ndarray:
        """Draw the number of words aimed at, per document."""
        return draw_lengths(rng, block.many_labels, self._words)

    def summary(
        self, rng: np.random.Generator, admission: Mapping[str, Any], own: np.ndarray, words: float
    ) -> str:
        """Write the summary of an admission with the codes ``own``."""
        times = 1 + (rng.random(len(own)) < SECOND_MENTION)
        mentions = [self._voice.mention(rng, code) for code in np.repeat(own, times)]
        denied = self._denied.many(rng, rng.poisson(DENIALS))
        denials = [self._voice.mention(rng, code) for code in denied if code not in own]
        return write_summary(
            rng, self.prose, _stay(admission), mentions, denials, words, self.chart
        )
