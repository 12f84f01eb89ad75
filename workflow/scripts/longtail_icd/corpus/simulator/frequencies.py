"""How often each code of the simulated hospital occurs: MIMIC-III's rank law, scaled down.

The law was fitted to the 8,929 codes of MIMIC-III: the code at rank r of a pool of 18,449 (all
of ICD-9-CM V32) has the expected count ``C (r + q)^-a exp(-r / k)``; drawn as Poisson it
reproduces the head, the singletons and the codes that no train note has.
"""

from dataclasses import dataclass

import numpy as np

LABELS_SIGMA = 0.51  # of the lognormal number of labels per note


@dataclass(frozen=True)
class Law:
    """A rank law without its factor C, which cancels out: the counts are rescaled.

    Attributes:
        q: shift of the ranks.
        a: exponent.
        k: rank at which the counts begin to fall exponentially.
        pool: ranks of the law.
        top: share of the documents that have the most frequent code.
        second: share that none of the others exceeds.
    """

    q: float
    a: float
    k: float
    pool: int
    top: float
    second: float


# ICD-9-CM, fitted to MIMIC-III; the pool is every diagnosis and procedure code of V32.
ICD9_LAW = Law(q=13.60, a=1.036, k=2614.0, pool=18_449, top=0.38, second=0.245)
# ICD-10 in MIMIC-IV: four constraints for four constants, two of them unverified and the top
# count (43,000 of 122,317 documents) assumed; the tiers it gives are a guess.
ICD10_LAW = Law(q=12.82, a=1.229, k=12_639.0, pool=90_000, top=0.352, second=0.33)


def mean_labels(median: float) -> float:
    """Return the mean of the lognormal number of labels per note that has this median."""
    return median * float(np.exp(LABELS_SIGMA**2 / 2))


def expected_counts(
    documents: int, codes: int, labels_per_note: float, law: Law = ICD9_LAW
) -> np.ndarray:
    """Return the expected number of notes per code, by rank.

    Ranks are stretched onto those of the law (18,449); the counts add up to ``documents`` times
    the mean number of labels. A short pool puts so much on its first ranks that a code would be in
    more than all notes: the first rank is set to .38 of the documents and the others are cut at
    .245, as in MIMIC-III, and what is cut off goes to the other ranks.

    Args:
        documents: number of notes.
        codes: size of the pool.
        labels_per_note: median number of labels.
        law: of the code system.

    Returns:
        Float array [codes], not increasing.
    """
    rank = (np.arange(codes) + 0.5) * law.pool / codes + 0.5
    curve = (rank + law.q) ** -law.a * np.exp(-rank / law.k)
    total = documents * mean_labels(labels_per_note)
    limit = np.full(codes, law.second * documents)
    limit[0] = law.top * documents
    fixed = np.arange(codes) == 0
    while not fixed.all():
        rest = max(total - limit[fixed].sum(), 0.0)
        expected = np.where(fixed, limit, curve * rest / curve[~fixed].sum())
        over = ~fixed & (expected > limit)
        if not over.any():
            return expected
        fixed |= over
    return limit


def draw_counts(rng: np.random.Generator, expected: np.ndarray, documents: int) -> np.ndarray:
    """Draw how many notes have each code: Poisson; the most frequent exactly its expectation."""
    counts = rng.poisson(expected)
    top = int(np.argmax(expected))
    counts[top] = round(expected[top])
    return np.minimum(counts, documents)
