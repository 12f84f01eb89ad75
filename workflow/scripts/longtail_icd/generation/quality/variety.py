"""How much the notes of a sample repeat each other."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

BLEU_ORDER = 4
BLEU_NOTES = 300  # of a sample: its self-BLEU grows with their number
TOKENS = 50_000  # of a sample, for distinct-n, which falls with their number


def ngrams(words: list[str], length: int) -> list[tuple[str, ...]]:
    """Return the n-grams of words in order."""
    return list(zip(*(words[start:] for start in range(length)), strict=False))


def distinct(notes: list[list[str]], length: int, tokens: int) -> tuple[float | None, int]:
    """Return distinct n-grams over all n-grams of the first tokens, and the number of n-grams.

    Source: Li et al., A diversity-promoting objective function for neural conversation models,
    2016 (distinct-1, distinct-2).

    Args:
        notes: words of each note; no n-gram crosses two notes.
        length: of an n-gram.
        tokens: that are looked at.
    """
    seen: set[tuple[str, ...]] = set()
    total = 0
    for words in notes:
        found = ngrams(words[:tokens], length)
        seen.update(found)
        total += len(found)
        tokens -= min(tokens, len(words))
    return (len(seen) / total if total else None), total


class _Order:
    """The n-grams of one length: how often the note that uses each most has it, and the next."""

    def __init__(self, counts: list[Counter]):
        self._counts = counts
        self._most: dict[tuple[str, ...], tuple[int, int, int]] = {}
        for note, counted in enumerate(counts):
            for ngram, times in counted.items():
                first, owner, second = self._most.get(ngram, (0, -1, 0))
                if times > first:
                    self._most[ngram] = (times, note, first)
                elif times > second:
                    self._most[ngram] = (first, owner, times)

    def precision(self, note: int) -> float:
        """Return the share of a note's n-grams that one of the others has as often."""
        clipped = total = 0
        for ngram, times in self._counts[note].items():
            first, owner, second = self._most[ngram]
            clipped += min(times, second if owner == note else first)
            total += times
        return clipped / total if total else 0.0


def _brevity(length: int, others: np.ndarray) -> float:
    """Return the brevity penalty against the other length that is closest, the shorter of two."""
    closest = others[np.lexsort((others, np.abs(others - length)))[0]]
    return 1.0 if length >= closest else float(np.exp(1 - closest / max(length, 1)))


def self_bleu(notes: list[list[str]]) -> np.ndarray:
    """Return the BLEU-4 of each note with all others as its references.

    Of every n-gram only the two largest counts are kept, so that time grows with the words and
    not with the pairs of notes, as it does with libraries that take one hypothesis at a time. A
    note without a shared 4-gram has 0, without smoothing.

    Source: Zhu et al., Texygen, 2018; BLEU as by Papineni et al. 2002.

    Args:
        notes: words of each; at least two notes.
    """
    orders = [
        _Order([Counter(ngrams(words, length)) for words in notes])
        for length in range(1, BLEU_ORDER + 1)
    ]
    lengths = np.array([len(words) for words in notes])
    scores = np.zeros(len(notes))
    for note in range(len(notes)):
        precisions = [order.precision(note) for order in orders]
        if min(precisions) > 0:
            penalty = _brevity(lengths[note], np.delete(lengths, note))
            scores[note] = penalty * np.exp(np.mean(np.log(precisions)))
    return scores


def entropy(orders: Iterable[tuple[str, ...]]) -> float:
    """Return the Shannon entropy of what is counted, in bits; 0 if all are the same.

    Before: orders a b, a b, b a, b a. After: 1.
    """
    counts = np.array(list(Counter(orders).values()), dtype=float)
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum() + 0.0)
