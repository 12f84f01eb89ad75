"""All training seeds of a train set as one coder: the mean of their logits."""

from collections.abc import Mapping

import numpy as np

from longtail_icd.common.errors import UserError
from longtail_icd.evaluation.scores import Scores


def mean_scores(runs: Mapping[str, Scores]) -> Scores:
    """Return the mean of several runs' logits for the same notes and codes.

    Before: two runs with the logits 1.0 and 3.0. After: 2.0.

    Args:
        runs: by name, model/train_set/seedN.

    Raises:
        UserError: names two runs of other notes or other codes.
    """
    (name, first), *others = runs.items()
    total = first.logits.astype(np.float64)
    for other, scores in others:
        if (scores.note_ids, scores.codes) != (first.note_ids, first.codes):
            raise UserError(
                f"{name} and {other} scored different notes or codes, so their logits have no "
                "mean; run `snakemake -R predict_codes`"
            )
        total += scores.logits
    return Scores((total / len(runs)).astype(np.float32), first.note_ids, first.codes)
