"""Seeds together: the mean of their logits, for the same notes and codes only."""

import numpy as np
import pytest
from evaluation_stage import make_scores
from longtail_icd.common.errors import UserError
from longtail_icd.evaluation.ensemble import mean_scores
from longtail_icd.evaluation.scores import Scores


def scores(*logits):
    return Scores(
        np.array(logits, dtype=np.float32), [f"n{row}" for row in range(len(logits))], ["a"]
    )


def test_each_logit_is_the_mean_of_the_seeds():
    found = mean_scores({"m/t/seed1": scores([1.0], [-2.0]), "m/t/seed2": scores([3.0], [-1.0])})
    assert found.logits.tolist() == [[2.0], [-1.5]] and found.logits.dtype == np.float32
    assert (found.note_ids, found.codes) == (["n0", "n1"], ["a"])


def test_one_seed_is_itself_bit_for_bit_and_is_not_written_to():
    one = make_scores()
    before = one.logits.copy()
    for seeds in (["seed1"], ["seed1", "seed2", "seed3"]):
        assert np.array_equal(mean_scores(dict.fromkeys(seeds, one)).logits, before)
    assert np.array_equal(one.logits, before)


@pytest.mark.parametrize("other", [make_scores(codes=["a", "b"]), make_scores(notes=["n1"])])
def test_runs_of_other_notes_or_codes_have_no_mean(other):
    with pytest.raises(UserError, match="m/t/seed1 and m/t/seed2 scored different notes or codes"):
        mean_scores({"m/t/seed1": make_scores(), "m/t/seed2": other})
