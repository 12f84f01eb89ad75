"""What screening knows beside the note: built once, from train notes and terminology alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl

from longtail_icd.generation.screening.fidelity import Fidelity
from longtail_icd.generation.screening.ngrams import SeenNgrams
from longtail_icd.generation.screening.style import Style, measure

BATCH = 256  # notes that are read at once
MASKED = 0.05  # share of train notes with ___ from which on that is how a corpus masks


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
class TrainFacts:
    """What the train notes and the terminology say; see :func:`learn_facts`."""

    fidelity: Fidelity
    ngrams: SeenNgrams
    style: Style
    blanks_are_masks: bool


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


def train_notes(notes: pl.LazyFrame, labels: pl.LazyFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield text and codes of each train note; no more than a batch of texts is held.

    Args:
        notes: a table `corpus/notes`, train split.
        labels: a table `corpus/labels`, train split.
    """
    codes = dict(labels.group_by("note_id").agg("code").collect().iter_rows())
    columns = notes.select("note_id", "text")
    for batch in columns.collect_batches(chunk_size=BATCH, maintain_order=True):
        for note_id, text in batch.iter_rows():
            yield text, codes.get(note_id, [])


def learn_facts(train: Iterable[tuple[str, list[str]]], fidelity: Fidelity) -> TrainFacts:
    """Read the train notes once and keep hashes, counts and distributions, no text.

    Args:
        train: text and codes of each train note.
        fidelity: reads the notes; its terms learn which of them can be relied on.
    """
    terms = fidelity.terms
    measured: list[np.ndarray] = []
    masked = 0

    def words_of_each() -> Iterator[list[str]]:
        nonlocal masked
        for text, codes in train:
            reading = fidelity.read(text)
            terms.learn(
                [number for number, _ in fidelity.asserted(reading)],
                {terms.category[code] for code in codes if code in terms.category},
            )
            measured.append(measure(text))
            masked += "___" in text
            yield reading.words.words

    ngrams = SeenNgrams.of(words_of_each())
    masks = masked > MASKED * len(measured)
    return TrainFacts(fidelity, ngrams, Style.of(measured), masks)
