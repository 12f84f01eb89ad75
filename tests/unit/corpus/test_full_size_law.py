"""The label part of a hospital at MIMIC-III's full size, against the figures of MIMIC-III."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from longtail_icd.corpus.simulator.hospital import draw_hospital
from longtail_icd.corpus.simulator.stays import draw_stays

ROOT = Path(__file__).parents[3]
TEST, DEV = 3_372, 1_631  # documents; 47,719 are left for train
# Codes by their number of notes in MIMIC-III: all, train, test of the customary split.
REAL_ALL = {"head": 160, "medium": 948, "tail": 2_573, "few": 5_248, "one": 1_921, "any": 8_929}
REAL_TRAIN = {"head": 144, "medium": 877, "tail": 2_472, "few": 5_199, "one": 1_933}
REAL_TEST_CODES = 4_085
# What three seeds of the law gave: codes that no train note has, those of them that test has.
UNSEEN, UNSEEN_IN_TEST = (158, 226), (99, 160)


def tiers(counts):
    return {
        "head": (counts >= 1000).sum(),
        "medium": ((counts >= 100) & (counts < 1000)).sum(),
        "tail": ((counts >= 10) & (counts < 100)).sum(),
        "few": ((counts >= 1) & (counts < 10)).sum(),
        "one": (counts == 1).sum(),
        "any": (counts > 0).sum(),
    }


def near(found, real, share=0.15):
    return all(abs(found[name] - real[name]) <= share * real[name] for name in real)


@pytest.fixture(scope="module")
def parameters():
    path = ROOT / "config" / "simulated_full.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["corpus"]["simulation"]


@pytest.fixture(scope="module")
def hospital(parameters):
    seed = np.random.SeedSequence(1).spawn(5)[0]
    return draw_hospital(
        np.random.default_rng(seed), parameters, ROOT / "resources" / "icd9_ranges.csv"
    )


@pytest.fixture(scope="module")
def split_counts(hospital):
    """Notes per code in train and in test, for a patient-disjoint split of the customary sizes."""
    patient = hospital.notes.patient
    turn = np.random.default_rng(1).permutation(patient[-1] + 1)[patient]
    order = np.argsort(turn, kind="stable")
    test, train = order[:TEST], order[TEST + DEV :]
    codes = hospital.pool.height

    def count(documents):
        return np.bincount(
            np.concatenate([hospital.labels[one] for one in documents]), minlength=codes
        )

    return count(train), count(test)


def test_codes_by_frequency_are_those_of_mimic3(hospital):
    counts = np.bincount(np.concatenate(hospital.labels), minlength=hospital.pool.height)
    assert near(tiers(counts), REAL_ALL), tiers(counts)
    assert len(hospital.labels) == 52_722
    assert abs(counts.sum() - 837_374) < 0.02 * 837_374
    assert counts.max() == round(0.38 * 52_722)


def test_train_tiers_and_codes_in_test_are_those_of_mimic3(split_counts):
    train, test = split_counts
    assert near(tiers(train), REAL_TRAIN), tiers(train)
    assert abs((test > 0).sum() - REAL_TEST_CODES) <= 0.15 * REAL_TEST_CODES


def test_codes_unseen_in_train_lie_in_the_ranges_of_the_law(hospital, split_counts):
    train, test = split_counts
    everywhere = np.bincount(np.concatenate(hospital.labels), minlength=hospital.pool.height)
    unseen = (train == 0) & (everywhere > 0)
    assert UNSEEN[0] <= unseen.sum() <= UNSEEN[1]
    assert UNSEEN_IN_TEST[0] <= (unseen & (test > 0)).sum() <= UNSEEN_IN_TEST[1]


def test_labels_per_note_are_those_of_mimic3(hospital):
    sizes = np.array([len(own) for own in hospital.labels])
    quantiles = np.quantile(sizes, [0.1, 0.25, 0.5, 0.75, 0.9, 0.99])
    assert np.abs(quantiles - [7, 10, 14, 20, 27, 46]).max() <= 3
    assert abs(sizes.mean() - 15.88) < 0.3
    assert sizes.min() >= 1


def test_chapters_have_the_shares_of_mimic3(hospital):
    labels = hospital.pool[np.concatenate(hospital.labels)].group_by("kind", "chapter").len()
    share = {row[:2]: row[2] for row in labels.with_columns(pl.col("len") / pl.sum("len")).rows()}
    shares = {"390-459": 0.163, "240-279": 0.081, "V01-V91": 0.072, "460-519": 0.052}
    assert all(abs(share["diagnosis", one] - real) < 0.01 for one, real in shares.items())
    procedures = sum(one for (kind, _), one in share.items() if kind == "procedure")
    assert abs(procedures - 0.2609) < 0.01


def test_patients_come_back_as_in_mimic3(hospital, parameters):
    stays = draw_stays(
        np.random.default_rng(1),
        hospital.notes.patient,
        parameters["silent"],
        parameters["silent_patients"],
    )
    assert stays.admissions.height == 58_976
    assert abs(stays.patients.height - 46_520) < 0.01 * 46_520
    admissions = stays.admissions["SUBJECT_ID"].value_counts()["count"].to_numpy()
    assert abs((admissions == 1).sum() - 38_983) < 0.01 * 38_983
    assert abs(admissions[admissions > 1].mean() - 2.65) < 0.05
    with_summary = np.unique(hospital.notes.patient)
    assert abs(len(with_summary) - 41_126) < 0.03 * 41_126
