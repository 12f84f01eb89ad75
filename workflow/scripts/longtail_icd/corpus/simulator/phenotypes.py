"""Who has which codes: patients, latent phenotypes, and codes placed into notes.

Co-occurrence is real because notes and codes share a latent phenotype: a patient has one or two,
a code belongs to one, and a code's notes are drawn mostly among those of its phenotype. The
number of notes per code is exact.
"""

from dataclasses import dataclass

import numpy as np

from longtail_icd.corpus.simulator.frequencies import LABELS_SIGMA

# Admissions per patient: one with this probability, else two and a geometric number more with this
# mean. MIMIC-III's are measured; of MIMIC-IV only the mean of 2.27 summaries per patient is known.
ADMISSIONS_MIMIC3, ADMISSIONS_MIMIC4 = (0.838, 0.65), (0.6, 2.19)
SECOND_PHENOTYPE = 0.4  # share of patients with two
AFFINITY = 30.0  # how much likelier a note of the code's own phenotype is
CHRONIC = 0.4  # share of diagnoses that a patient keeps from one admission to the next


@dataclass(frozen=True)
class Notes:
    """The notes before they have text, in the order of patients and their admissions.

    Attributes:
        patient: index of each note's patient [notes].
        phenotypes: which phenotypes its patient has, bool [notes, phenotypes].
        size: how many labels it tends to have [notes].
    """

    patient: np.ndarray
    phenotypes: np.ndarray
    size: np.ndarray


def draw_patients(
    rng: np.random.Generator, documents: int, law: tuple[float, float] = ADMISSIONS_MIMIC3
) -> np.ndarray:
    """Return the patient of each note, for example 0, 0, 1, 2."""
    one, mean_more = law
    once = rng.random(documents) < one
    # numpy counts the trials, the law counts the failures before the first success.
    more = rng.geometric(1 / (1 + mean_more), documents) - 1
    admissions = np.where(once, 1, 2 + more)
    return np.repeat(np.arange(documents), admissions)[:documents]


def draw_notes(
    rng: np.random.Generator,
    documents: int,
    phenotypes: int,
    labels_per_note: float,
    law: tuple[float, float] = ADMISSIONS_MIMIC3,
) -> Notes:
    """Draw patients with their phenotypes, and how many labels each note tends to have."""
    patient = draw_patients(rng, documents, law)
    patients = patient[-1] + 1
    has = np.zeros((patients, phenotypes), dtype=bool)
    has[np.arange(patients), rng.integers(phenotypes, size=patients)] = True
    second = rng.random(patients) < SECOND_PHENOTYPE
    has[np.flatnonzero(second), rng.integers(phenotypes, size=second.sum())] = True
    size = rng.lognormal(np.log(labels_per_note), LABELS_SIGMA, documents)
    return Notes(patient, has[patient], size)


def assign_phenotypes(
    rng: np.random.Generator, clusters: list[str], counts: np.ndarray, phenotypes: int
) -> np.ndarray:
    """Give each cluster of siblings to the phenotype that has the fewest instances so far.

    Balanced phenotypes keep the number of labels per note near its law.

    Args:
        rng: source of chance: breaks the order of equally large clusters.
        clusters: the cluster of each code.
        counts: notes per code.
        phenotypes: number of phenotypes.

    Returns:
        The phenotype of each code.
    """
    names, cluster = np.unique(clusters, return_inverse=True)
    # Beyond its phenotype's notes a code spills over into all others.
    weight = np.bincount(cluster, np.minimum(counts, counts.sum() / phenotypes / 10))
    shuffled = rng.permutation(len(names))
    load = np.zeros(phenotypes)
    chosen = np.zeros(len(names), dtype=int)
    for one in shuffled[np.argsort(-weight[shuffled], kind="stable")]:
        chosen[one] = np.argmin(load)
        load[chosen[one]] += weight[one]
    return chosen[cluster]


def place_codes(
    rng: np.random.Generator,
    notes: Notes,
    counts: np.ndarray,
    phenotype: np.ndarray,
    chronic: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Place each code into exactly ``counts`` notes, without repetition.

    A note's weight is its size times the affinity of the code's phenotype; the largest keys
    log(weight) + Gumbel noise are a weighted draw without replacement. A chronic code's noise is
    the patient's, so that all admissions of a patient tend to have it.

    Returns:
        Note indices and code indices of the label instances, in the order of the codes.
    """
    log_size = np.log(notes.size)
    patients = notes.patient[-1] + 1
    found = []
    for code in np.flatnonzero(counts):
        own = notes.phenotypes[:, phenotype[code]]
        if chronic[code]:
            noise = rng.gumbel(size=patients)[notes.patient]
        else:
            noise = rng.gumbel(size=len(log_size))
        key = log_size + np.where(own, np.log(AFFINITY), 0.0) + noise
        found.append(np.sort(np.argpartition(-key, counts[code] - 1)[: counts[code]]))
    note = np.concatenate(found) if found else np.zeros(0, dtype=int)
    return note, np.repeat(np.arange(len(counts)), counts)


def fill_empty(note: np.ndarray, code: np.ndarray, documents: int) -> np.ndarray:
    """Move one label of the largest notes to each note without any; codes keep their counts.

    Returns:
        The changed note indices.
    """
    note = note.copy()
    sizes = np.bincount(note, minlength=documents)
    for empty in np.flatnonzero(sizes == 0):
        largest = int(np.argmax(sizes))
        if sizes[largest] < 2:
            break  # fewer labels than notes
        note[np.flatnonzero(note == largest)[0]] = empty
        sizes[[largest, empty]] += [-1, 1]
    return note
