"""Notes as the coder reads them, with the way back to the words as they were written."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from transformers import PreTrainedTokenizerBase

from longtail_icd.generation.evidence import Span, folded
from longtail_icd.training.tokenization import encode

# More of a note is never looked at than this many characters per token that the model reads:
# some ten times what clinical notes have. A note of any length takes bounded time and memory.
CHARACTERS_PER_TOKEN = 64
WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Prepared:
    """A note ready for a coder.

    Attributes:
        ids: of its tokens [T].
        words: character span [start, end) of each word in the note as written; empty (start = end)
            for a word that cannot be found there.
        word_of_token: number of each token's word [T]; -1 for start and end marks.
        cut: the model reads less than the whole note.
    """

    ids: np.ndarray
    words: list[Span]
    word_of_token: np.ndarray
    cut: bool


def find_words(prepared: str, written: str) -> list[Span]:
    """Return where each word of a prepared text stands in the text as written.

    Text recipes drop characters, lower the case and change blanks, but keep the order: each word
    is looked for behind the one before it.

    Before: ``took mg on`` in ``Took 250 MG, on``. After: (0, 4), (9, 11), (13, 15).
    """
    text, at, spans = folded(written), 0, []
    for match in WORD.finditer(prepared):
        start = text.find(match[0], at)
        end = at if start < 0 else start + len(match[0])
        spans.append((at if start < 0 else start, end))
        at = end
    return spans


def _words_of_tokens(offsets: list[Span], words: list[Span]) -> np.ndarray:
    """Return the number of the word that each token lies in; -1: in none.

    Args:
        offsets: of the tokens in the prepared text; empty for marks.
        words: of the prepared text.
    """
    starts, ends = np.array(offsets, dtype=np.int64).reshape(-1, 2).T
    # By its last character: some tokenizers count the blank before a word to its first token.
    found = np.searchsorted([start for start, _ in words], ends - 1, side="right") - 1
    return np.where(starts < ends, found, -1)


def prepare(
    texts: list[str],
    recipe: Callable[[pl.Expr], pl.Expr],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
) -> list[Prepared]:
    """Prepare notes as the coder's train notes were.

    Args:
        texts: as written.
        recipe: of corpus.text_recipes.
        tokenizer: the coder's.
        max_length: tokens kept of a note, start and end marks included.
    """
    limit = CHARACTERS_PER_TOKEN * max_length
    read = [text[:limit] for text in texts]
    prepared = pl.select(recipe(pl.lit(pl.Series(read, dtype=pl.String)))).to_series().to_list()
    notes = []
    for number, encoding in enumerate(encode(prepared, tokenizer, max_length).encodings):
        own = [match.span() for match in WORD.finditer(prepared[number])]
        same = prepared[number] == read[number]
        notes.append(
            Prepared(
                np.array(encoding.ids),
                own if same else find_words(prepared[number], read[number]),
                _words_of_tokens(encoding.offsets, own),
                bool(encoding.overflowing) or len(texts[number]) > limit,
            )
        )
    return notes
