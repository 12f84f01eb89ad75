"""Resampling of patients: against the metrics of the resampled notes themselves."""

import numpy as np
import pytest
from longtail_icd.evaluation import intervals, resampling
from longtail_icd.evaluation.evaluate import evaluate
from longtail_icd.evaluation.run_statistics import run_statistics
from scipy.sparse import csr_array

PATIENT = np.array([0, 0, 1, 2, 2, 3])
OUTSIDE = np.array([0, 1, 0, 0, 2, 0])
ALL = np.ones(8, dtype=bool)
FEW = np.arange(8) > 4


@pytest.fixture
def drawn():
    """Scores and gold of six notes of four patients."""
    generator = np.random.default_rng(4)
    gold = generator.random((6, 8)) < 0.35
    return (generator.normal(size=(6, 8)) + gold).astype(np.float32), gold


def evaluated(scores, gold, outside):
    group = FEW.astype(int)
    return evaluate(scores, csr_array(gold), 0.5, (2,), group, ("many", "few"), int(outside.sum()))


def statistics_of(scores, gold, weights):
    found = evaluated(scores, gold, OUTSIDE)
    labels = csr_array(gold)
    counts = resampling.count_by_patient(labels, found.predicted, PATIENT, OUTSIDE)
    masks = {"all": ALL, "few": FEW}
    return run_statistics(counts, found.documents, PATIENT, masks, weights), found


def notes_of(patients):
    """Return the rows of the patients' notes, as often as they are drawn."""
    return np.concatenate([np.flatnonzero(np.equal(PATIENT, patient)) for patient in patients])


def test_counts_by_patient_by_hand():
    """Both notes of one patient pool: a hit and a miss of code 0, two false alarms of code 1."""
    gold = csr_array(np.array([[1, 0], [1, 0], [0, 0]], dtype=bool))
    predicted = csr_array(np.array([[1, 1], [0, 1], [0, 0]], dtype=bool))
    counts = resampling.count_by_patient(gold, predicted, np.array([1, 1, 0]), np.array([0, 0, 5]))
    assert counts.patient.tolist() == [1, 1]
    assert counts.code.tolist() == [0, 1]
    assert counts.counts.tolist() == [[1, 0, 1], [0, 2, 0]]
    assert counts.per_patient(np.array([True, False])).tolist() == [[0, 0, 0], [1, 0, 1]]
    assert counts.per_patient(np.array([True, True])).tolist() == [[0, 0, 0], [1, 2, 1]]
    assert counts.outside.tolist() == [5, 0]


def test_every_statistic_is_the_metric_itself(drawn):
    """The value that an interval is drawn around is the value in the table."""
    scores, gold = drawn
    found, evaluation = statistics_of(scores, gold, np.ones((3, 4), dtype=int))
    assert len(found) == 2 * 14
    for (group, metric), statistic in found.items():
        assert statistic.value == pytest.approx(evaluation.values[group][metric])
        assert statistic.samples == pytest.approx(np.full(3, statistic.value))


def test_a_bootstrap_sample_is_the_metric_of_the_drawn_notes(drawn):
    scores, gold = drawn
    patients = [0, 2, 2, 2]
    weights = np.bincount(patients, minlength=4)[None]
    found, _ = statistics_of(scores, gold, weights)
    rows = notes_of(patients)
    again = evaluated(scores[rows], gold[rows], OUTSIDE[rows])
    for (group, metric), statistic in found.items():
        assert statistic.samples[0] == pytest.approx(again.values[group][metric]), (group, metric)


def test_the_jackknife_is_the_metric_without_each_patient(drawn):
    scores, gold = drawn
    found, _ = statistics_of(scores, gold, np.ones((1, 4), dtype=int))
    for patient in range(4):
        rows = notes_of({0, 1, 2, 3} - {patient})
        again = evaluated(scores[rows], gold[rows], OUTSIDE[rows])
        for (group, metric), statistic in found.items():
            if metric.startswith("macro"):
                assert statistic.without[patient] == pytest.approx(again.values[group][metric])
            else:
                assert statistic.without is None


def test_the_naive_interval_of_a_macro_f1_lies_beside_its_value_and_the_jackknife_around_it():
    """Ten of 40 patients have a code of their own, found: half of 20 codes. A bootstrap sample
    loses 37 % of them and never finds another, as a fresh test set would."""
    gold = csr_array((np.ones(10, dtype=bool), (np.arange(10), np.arange(10))), shape=(40, 20))
    counts = resampling.count_by_patient(gold, gold, np.arange(40), np.zeros(40))
    weights = resampling.patient_weights(40, 200, seed=1)
    masks = {"all": np.ones(20, dtype=bool)}
    found = run_statistics(counts, {"all": {}}, np.arange(40), masks, weights)
    interval = intervals.interval(found["all", "macro_f1_all_codes"], 0.95)
    assert interval.naive_high < 0.5
    # 40 patients, ten of whom hold 1/20 each: the root of 39/40 (10 - 100/40) / 400.
    assert interval.high - 0.5 == pytest.approx(1.959964 * np.sqrt(39 / 40 * 7.5 / 400))


def test_samples_are_the_same_whatever_their_number_at_once(drawn, monkeypatch):
    scores, gold = drawn
    weights = resampling.patient_weights(4, 7, seed=1)
    whole, _ = statistics_of(scores, gold, weights)
    monkeypatch.setattr(resampling, "_SAMPLES_AT_ONCE", 3)
    parts, _ = statistics_of(scores, gold, weights)
    for key, statistic in whole.items():
        assert statistic.samples == pytest.approx(parts[key].samples)


def test_every_sample_draws_as_many_patients_as_there_are():
    weights = resampling.patient_weights(5, 20, seed=3)
    assert weights.shape == (20, 5)
    assert (weights.sum(axis=1) == 5).all()
    assert (weights == resampling.patient_weights(5, 20, seed=3)).all()
