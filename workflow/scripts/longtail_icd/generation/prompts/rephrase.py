"""A real note cut into chunks that are rewritten one by one.

Rewriting whole notes loses the details that codes hang on; by chunks they are kept (Liu, Soni and
Nguyen 2026).
"""

import re
from itertools import pairwise

import polars as pl

from longtail_icd.plan.excerpts import passages_of

_HEADING = re.compile(r"\s*[A-Z][^\n:]{1,60}:")
_WORD = re.compile(r"\s*\S+\s*")


def _pieces(text: str, limit: int) -> list[tuple[str, int]]:
    """Cut a text where sentences, list items and sections end; pieces and their words.

    A piece of more than ``limit`` words is cut between words.
    """
    starts = passages_of(pl.Series([text]))["start"].to_list()
    found = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        words = [match.end() for match in _WORD.finditer(text, start, end)]
        cuts = [start, *words[limit - 1 : -1 : limit], end]
        for first, last in pairwise(cuts):
            found.append((text[first:last], len(text[first:last].split())))
    return found


def chunks_of(text: str, limit: int) -> list[str]:
    r"""Cut a note into chunks of at most ``limit`` words that together are the note.

    A chunk ends with a sentence, a list item or a section; once it is half full, the next
    section starts a new one. Blank text gives no chunk.

    Before: ``HPI: Cough. Fever.\nPMH: COPD.`` and 3 words. After: ``HPI: Cough. Fever.\n`` and
    ``PMH: COPD.``.
    """
    chunks: list[str] = []
    count = 0
    for piece, words in _pieces(text, limit) if text.strip() else []:
        section = _HEADING.match(piece) is not None and 2 * count >= limit
        if chunks and count + words <= limit and not section:
            chunks[-1] += piece
            count += words
        else:
            chunks.append(piece)
            count = words
    return chunks


def cloned(code_sets: pl.DataFrame) -> pl.DataFrame:
    """Return the code sets that are those of a real note, with it as ``note_id``; count others.

    A note in which a sibling was swapped for the anchor says nothing of the anchor.

    Args:
        code_sets: a table `plan/code_sets`.
    """
    kept = code_sets.filter(strategy="clone").with_columns(note_id="source_note_id")
    if left_out := len(code_sets) - len(kept):
        print(f"warning: {left_out} requests are left out: no real note carries their code set")
    return kept
