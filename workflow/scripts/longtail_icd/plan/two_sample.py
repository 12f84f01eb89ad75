"""Can a classifier tell planned code sets from real ones? The classifier two-sample test.

Source: Lopez-Paz, Oquab, Revisiting classifier two-sample tests, 2017.
"""

from collections.abc import Callable

import numpy as np
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

FOLDS = 5
LEAST = 20  # sets of a side; with fewer an AUC says nothing


def by_codes() -> LogisticRegression:
    """Return the classifier that sees which codes a set has."""
    return LogisticRegression(C=0.1, max_iter=500)


def by_features() -> HistGradientBoostingClassifier:
    """Return the classifier that sees numbers: sizes, pairs, tiers, chapters."""
    return HistGradientBoostingClassifier(
        max_iter=100, max_leaf_nodes=15, early_stopping=False, random_state=0
    )


def cross_validated_auc(
    classifier: Callable,
    features: np.ndarray | sparse.csr_array,
    planned: np.ndarray,
    source: np.ndarray,
    anchor: np.ndarray,
) -> float | None:
    """Return the mean AUC over the folds; None with fewer than :data:`LEAST` sets of a side.

    Sets of one source are in one fold. Trained is on the sets that share neither a source nor an
    anchor with the fold: a copy of a real set, filed under the other side, would else be told
    wrong on purpose (an AUC below 0.5), and a copy filed under its own side right.

    Args:
        classifier: makes an untrained one.
        features: sets × features.
        planned: whether a set is planned (else real).
        source: a number per set: that of the train note that it is, or a copy of; otherwise one
            of its own, as even in its spread over the folds.
        anchor: a number per set.
    """
    if min(planned.sum(), (~planned).sum()) < LEAST:
        return None
    found = []
    with threadpool_limits(1):  # sums of floats depend on the number of threads
        for fold in range(FOLDS):
            test = source % FOLDS == fold
            train = ~np.isin(source, source[test]) & ~np.isin(anchor, anchor[test])
            if len(set(planned[test])) < 2 or len(set(planned[train])) < 2:
                continue
            model = classifier().fit(features[train], planned[train])
            chance = model.predict_proba(features[test])[:, 1]
            found.append(roc_auc_score(planned[test], chance))
    return float(np.mean(found)) if found else None
