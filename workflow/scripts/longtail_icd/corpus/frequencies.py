"""How often each code of the simulated hospital occurs: MIMIC-III's rank law, scaled down.

The law was fitted to the 8,929 codes of MIMIC-III: the code at rank r of a pool of 18,449 (all
of ICD-9-CM V32) has the expected count ``C (r + q)^-a exp(-r / k)``; drawn as Poisson it
reproduces the head, the singletons and the codes that no train note has.
"""

import numpy as np

Q, A, K = 13.60, 1.036, 2614.0  # C cancels out: the counts are rescaled
POOL = 18_449  # ranks of the law: every diagnosis and procedure code of V32
LABELS_SIGMA = 0.51  # of the lognormal number of labels per note
# Shares of the documents that have the most frequent code, and the second most frequent one.
TOP_SHARE, SECOND_SHARE = 0.38, 0.245


def mean_labels(median: float) -> float:
    """Return the mean of the lognormal number of labels per note that has this median."""
    return median * float(np.exp(LABELS_SIGMA**2 / 2))


def expected_counts(documents: int, codes: int, labels_per_note: float) -> np.ndarray:
    """Return the expected number of notes per code, by rank.

    Ranks are stretched onto the law's 18,449; the counts add up to ``documents`` times the mean
    number of labels. A short pool puts so much on its first ranks that a code would be in more
    than all notes: the first rank is set to .38 of the documents and the others are cut at .245,
    as in MIMIC-III, and what is cut off goes to the other ranks.

    Args:
        documents: number of notes.
        codes: size of the pool.
        labels_per_note: median number of labels.

    Returns:
        Float array [codes], not increasing.
    """
    rank = (np.arange(codes) + 0.5) * POOL / codes + 0.5
    law = (rank + Q) ** -A * np.exp(-rank / K)
    total = documents * mean_labels(labels_per_note)
    limit = np.full(codes, SECOND_SHARE * documents)
    limit[0] = TOP_SHARE * documents
    fixed = np.arange(codes) == 0
    while not fixed.all():
        rest = max(total - limit[fixed].sum(), 0.0)
        expected = np.where(fixed, limit, law * rest / law[~fixed].sum())
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
