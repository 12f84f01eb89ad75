"""The passages of a note that a label looked at most."""

from dataclasses import dataclass

import numpy as np

from longtail_icd.generation.evidence import Span

SHARE = 0.5  # of the attention on words that the words of the passages have
WORDS = 24  # of all passages at most, where attention is spread over the whole note
BETWEEN = 1  # words of one passage that may stand between two that were looked at


@dataclass(frozen=True)
class Passage:
    """Characters [start, end) of a note, and the share of the label's attention that they have."""

    start: int
    end: int
    text: str
    attention: float


def word_weights(attention: np.ndarray, word_of_token: np.ndarray, words: int) -> np.ndarray:
    """Return the attention of each word [words] from that of the tokens [T]; marks have none."""
    real = word_of_token >= 0
    return np.bincount(word_of_token[real], attention[real], minlength=words)


def find_passages(weights: np.ndarray, words: list[Span], text: str, most: int) -> list[Passage]:
    """Return up to ``most`` passages with most attention, in the order of the text.

    Words are taken by their attention until they have SHARE of it; neighbours become one passage.

    Before: weights 0.4, 0.0, 0.4, 0.2 of ``acute on chronic chf``. After: ``acute on chronic``
    with 0.8.

    Args:
        weights: attention of each word.
        words: their spans in ``text``; one with an empty span is in no passage.
        text: the note as written.
        most: 0 for none.
    """
    order = np.argsort(-weights, kind="stable")
    enough = int(np.searchsorted(np.cumsum(weights[order]), SHARE * weights.sum())) + 1
    best = order[: min(enough, WORDS)]
    chosen = np.sort([word for word in best if weights[word] and words[word][0] < words[word][1]])
    if not len(chosen):
        return []
    groups = np.split(chosen, np.flatnonzero(np.diff(chosen) > 1 + BETWEEN) + 1)
    found = []
    for group in groups:
        start, end = words[group[0]][0], words[group[-1]][1]
        share = float(weights[group[0] : group[-1] + 1].sum())
        found.append(Passage(start, end, text[start:end], round(share, 4)))
    kept = sorted(found, key=lambda one: -one.attention)[:most]
    return sorted(kept, key=lambda one: one.start)
