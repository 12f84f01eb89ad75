"""How close notes are to others: cosine of TF-IDF vectors, and word sequences in common.

No neural encoder: the workflow's own is trained after the notes are written, and a hub's would
need a network. TF-IDF sees words alone, so a paraphrase counts as far away.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from longtail_icd.generation.quality.samples import NoteSample, Samples
from longtail_icd.generation.screening.ngrams import SeenNgrams
from longtail_icd.generation.screening.words import normalised_words

VOCABULARY = 50_000  # most frequent words


def vectors(samples: Samples) -> dict[str, sparse.csr_matrix]:
    """Return TF-IDF vectors of length 1 (0 for a note without words): notes x words, per sample."""
    parts = {"reference": samples.reference, **samples.sides}
    model = TfidfVectorizer(
        analyzer=_same, sublinear_tf=True, max_features=VOCABULARY, dtype=np.float64
    )
    every = model.fit_transform([words for part in parts.values() for words in part.words])
    ends = np.cumsum([0, *(len(part.ids) for part in parts.values())])
    return {
        name: every[start:end] for name, (start, end) in zip(parts, pairwise(ends), strict=True)
    }


def _same(words: list[str]) -> list[str]:
    return words


def mean_cosine(rows: sparse.csr_matrix) -> float | None:
    """Return the mean cosine of all pairs of different notes; null for fewer than two.

    In linear time: the sum over all pairs is the squared length of the vectors' sum.
    """
    notes = rows.shape[0]
    if notes < 2:
        return None
    total = np.asarray(rows.sum(axis=0)).ravel()
    itself = rows.multiply(rows).sum()
    return float((total @ total - itself) / (notes * (notes - 1)))


def nearest_distance(rows: sparse.csr_matrix, reference: sparse.csr_matrix) -> np.ndarray:
    """Return the cosine distance (0 to 1) of each note to the nearest of the reference."""
    nearest = (rows @ reference.T).max(axis=1).toarray().ravel()
    return np.clip(1 - nearest, 0, 1)


def copied(sample: NoteSample, seen: SeenNgrams) -> np.ndarray:
    """Return the share of each note's 13-grams that a note of the reference has."""
    return np.array([seen.memorised(words, []) for words in sample.words])


def copied_from_exemplars(samples: Samples, seen: SeenNgrams) -> np.ndarray:
    """Return the share of 13-grams that each synthetic note has from its exemplars, if any.

    Notes whose prompts came from no real note are left out.
    """
    none_known = replace(seen, known=np.empty(0, dtype=np.uint64))
    shown = [(words, samples.exemplars.get(one)) for one, words in _synthetic(samples)]
    return np.array(
        [none_known.memorised(words, normalised_words(text)) for words, text in shown if text]
    )


def _synthetic(samples: Samples) -> list[tuple[str, list[str]]]:
    return list(zip(samples.synthetic.ids, samples.synthetic.words, strict=True))
