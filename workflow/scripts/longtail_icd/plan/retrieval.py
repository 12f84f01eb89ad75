"""Train notes as numbers: which known words stand in which passage, and how a query fits a note.

Texts are read batch by batch and not kept: of each known word stays 8 bytes, of a passage 12.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import bm25s
import numpy as np
import polars as pl

from longtail_icd.plan.excerpts import headings_of, passages_of

WORD = r"[\p{L}\p{N}]+"
BATCH = 4096  # notes whose texts are in memory at a time


def words_of(text: pl.Expr) -> pl.Expr:
    """Return the words of a text, in lower case. Before: ``CHF, NOS``. After: ``[chf, nos]``."""
    return text.str.to_lowercase().str.extract_all(WORD)


@dataclass(frozen=True)
class NoteIndex:
    """The passages of all notes and the telling words in them, as numbers of a vocabulary.

    A word that more than half of the notes have tells nothing and is left out. Note i has the
    passages ``first_passage[i]`` to ``first_passage[i + 1]`` and the words ``first_word[i]`` to
    ``first_word[i + 1]``.
    """

    note_ids: pl.Series
    headings: pl.DataFrame  # columns note_id, headings
    first_passage: np.ndarray
    start: np.ndarray  # of each passage: characters of the note's text
    end: np.ndarray
    length: np.ndarray  # of each passage: all its words, also those that are not listed
    first_word: np.ndarray
    words: np.ndarray
    passage: np.ndarray  # of each word: its passage
    note_frequency: np.ndarray  # of each word of the vocabulary: notes that have it

    @property
    def n_notes(self) -> int:
        """The number of notes."""
        return len(self.note_ids)

    @property
    def idf(self) -> np.ndarray:
        """Inverse document frequency of each word of the vocabulary, as BM25 defines it."""
        n = self.note_frequency
        return np.log1p((self.n_notes - n + 0.5) / (n + 0.5))

    def lengths(self) -> np.ndarray:
        """Return the number of words of each note, also of those that are not listed."""
        ends = np.concatenate([[0], np.cumsum(self.length, dtype=np.int64)])
        return np.diff(ends[self.first_passage])


@dataclass(frozen=True)
class _Batch:
    """A part of an index: passages and known words per note, and both one after another."""

    notes: pl.DataFrame  # columns note_id, headings
    passages: np.ndarray
    start: np.ndarray
    end: np.ndarray
    length: np.ndarray
    known: np.ndarray
    words: np.ndarray
    passage: np.ndarray


def _read_batch(batch: pl.DataFrame, known: pl.Enum) -> _Batch:
    passages = (
        passages_of(batch["text"])
        .lazy()
        .with_columns(word=words_of(pl.col("passage")))
        .with_columns(length=pl.col("word").list.len().cast(pl.Int32))
        .filter(pl.col("length") > 0)
        .collect(engine="streaming")
    )
    words = passages["word"].explode().cast(known, strict=False).to_physical()
    words = words.cast(pl.Int32).fill_null(-1).to_numpy()
    row, start, end, length = (
        passages[name].to_numpy() for name in ("row", "start", "end", "length")
    )
    passage = np.repeat(np.arange(len(length), dtype=np.int32), length)[words >= 0]
    return _Batch(
        notes=batch.select("note_id", headings=headings_of(pl.col("text"))),
        passages=np.bincount(row, minlength=batch.height),
        start=start,
        end=end,
        length=length,
        known=np.bincount(row[passage], minlength=batch.height),
        words=words[words >= 0],
        passage=passage,
    )


def _bounds(counts: np.ndarray) -> np.ndarray:
    """Return where each of consecutive stretches begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _note_frequency(words: np.ndarray, bounds: np.ndarray, size: int) -> np.ndarray:
    frequency = np.zeros(size, dtype=np.int64)
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        has = np.zeros(size, dtype=bool)
        has[words[first:last]] = True
        frequency += has
    return frequency


def _batches(notes: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    columns = notes.select("note_id", pl.col("text").fill_null(""))
    yield from columns.collect_batches(chunk_size=BATCH, maintain_order=True)


def index_notes(notes: pl.LazyFrame, vocabulary: pl.Series) -> NoteIndex:
    """Read every note once and return what is known of it.

    Args:
        notes: a table `corpus/notes`, not empty; a null text is an empty one.
        vocabulary: the known words, sorted, without repetitions.
    """
    known = pl.Enum(vocabulary)
    batches = [_read_batch(batch, known) for batch in _batches(notes)]

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(batch, name) for batch in batches])

    first_batch_passage = _bounds(np.array([len(batch.length) for batch in batches]))
    passage = np.concatenate(
        [batch.passage + first for batch, first in zip(batches, first_batch_passage, strict=False)]
    )
    words, bounds = joined("words"), _bounds(joined("known"))
    frequency = _note_frequency(words, bounds, len(vocabulary))
    telling = (frequency <= (len(bounds) - 1) / 2)[words]
    together = pl.concat([batch.notes for batch in batches])
    return NoteIndex(
        note_ids=together["note_id"],
        headings=together,
        first_passage=_bounds(joined("passages")),
        start=joined("start"),
        end=joined("end"),
        length=joined("length"),
        first_word=_bounds(telling)[bounds],
        words=words[telling],
        passage=passage[telling],
        note_frequency=frequency,
    )


class _Note(array):
    """The telling words of a note, as long as the whole note.

    bm25s asks a document for its words and its length and nothing else. With the length of the
    whole note, codes more or less, and with them known words, change no score.
    """

    whole = 0

    def __len__(self) -> int:
        return self.whole


class TextScores:
    """BM25 of queries against whole notes, by the library bm25s in its default variant (Lucene).

    Args:
        index: of all notes.

    Source: Lù, BM25S: orders of magnitude faster lexical search via eager sparse scoring, 2024.
    """

    def __init__(self, index: NoteIndex):
        self._telling = index.note_frequency <= index.n_notes / 2
        bounds, lengths = index.first_word.tolist(), index.lengths().tolist()
        notes = []
        for first, last, length in zip(bounds[:-1], bounds[1:], lengths, strict=True):
            notes.append(_Note("i", index.words[first:last].tobytes()))
            notes[-1].whole = length
        self._bm25 = bm25s.BM25(csc_backend="scipy")
        numbers = {str(number): number for number in range(len(index.note_frequency))}
        with np.errstate(invalid="ignore"):  # the mean length is 0 where no note has any text
            self._bm25.index((notes, numbers), show_progress=False, create_empty_token=False)

    def of(self, query: np.ndarray) -> np.ndarray:
        """Return the score of every note for a query of word numbers without repetitions."""
        return self._bm25.get_scores_from_ids(query[self._telling[query]])
