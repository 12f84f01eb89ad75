"""Iterative stratification: each split gets its share of each code, and whole patients."""

import time

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.corpus.split import split_by_patient
from longtail_icd.corpus.stratified import split_stratified

DEV, TEST = 0.1, 0.3


def _corpus(documents):
    """Return notes and labels of documents, each (patient, codes)."""
    notes = pl.DataFrame(
        {
            "note_id": [f"n{number}" for number in range(len(documents))],
            "patient_id": [str(patient) for patient, _ in documents],
        },
        schema={"note_id": pl.String, "patient_id": pl.String},
    )
    labels = pl.DataFrame(
        [
            (f"n{number}", "icd9cm", str(code))
            for number, (_, codes) in enumerate(documents)
            for code in codes
        ],
        schema={"note_id": pl.String, "version": pl.String, "code": pl.String},
        orient="row",
    )
    return notes, labels


documents = st.lists(
    st.tuples(st.integers(0, 30), st.frozensets(st.integers(0, 12), max_size=5)),
    min_size=1,
    max_size=80,
)


@settings(deadline=None)
@given(documents, st.integers(0, 5), st.randoms(use_true_random=False))
def test_a_partition_by_patient_whatever_the_row_order(documents, seed, shuffle):
    notes, labels = _corpus(documents)
    assigned = split_stratified(notes, labels, DEV, TEST, seed)
    assert assigned["note_id"].to_list() == notes["note_id"].to_list()
    assert assigned["split"].is_in(["train", "dev", "test"]).all()
    of_patient = notes.join(assigned, on="note_id").group_by("patient_id")
    assert of_patient.agg(pl.col("split").n_unique())["split"].max() == 1
    orders = [list(range(table.height)) for table in (notes, labels)]
    for order in orders:
        shuffle.shuffle(order)
    again = split_stratified(notes[orders[0]], labels[orders[1]], DEV, TEST, seed)
    assert again.sort("note_id").equals(assigned.sort("note_id"))


def test_by_hand():
    """Ten patients with one code at 60/10/30: 6 train, 1 dev, 3 test, whoever they are."""
    notes, labels = _corpus([(patient, {1}) for patient in range(10)])
    counts = dict(split_stratified(notes, labels, DEV, TEST, 1)["split"].value_counts().rows())
    assert counts == {"train": 6, "dev": 1, "test": 3}


def test_a_patient_counts_with_every_note_of_a_code():
    """One patient with three of six notes fills test's share alone."""
    notes, labels = _corpus([(0, {1}), (0, {1}), (0, {1}), (1, {1}), (2, {1}), (3, {1})])
    joined = notes.join(split_stratified(notes, labels, 0.0, 0.5, 1), on="note_id")
    assert dict(joined["split"].value_counts().rows()) == {"train": 3, "test": 3}


def test_the_seed_decides_among_equals():
    notes, labels = _corpus([(patient, {1}) for patient in range(50)])
    one, other = (split_stratified(notes, labels, DEV, TEST, seed) for seed in (1, 2))
    assert not one.equals(other)
    assert one.equals(split_stratified(notes, labels, DEV, TEST, 1))


def test_a_code_of_one_note_is_always_in_train():
    """Train wants most of it: so no code of a single note is ever tested (docs/data.md)."""
    notes, labels = _corpus([(patient, {patient}) for patient in range(9)])
    assert set(split_stratified(notes, labels, DEV, TEST, 1)["split"]) == {"train"}


def _long_tail(documents, codes, labels_per_note, seed):
    """Return a corpus with repeat patients whose code frequencies fall as 1 / rank."""
    draw = np.random.default_rng(seed)
    rank = np.arange(1, codes + 1)
    shares = 1 / (rank + 10.0)
    count = np.maximum(1, (shares / shares.sum() * documents * labels_per_note).astype(int))
    count = np.minimum(count, documents // 2)
    holders = np.concatenate([draw.choice(documents, size=one, replace=False) for one in count])
    patients = np.concatenate(
        [np.arange(int(documents * 0.8)), draw.integers(0, documents // 2, documents)]
    )[:documents]
    notes = pl.DataFrame(
        {"note_id": np.arange(documents).astype(str), "patient_id": patients.astype(str)}
    )
    labels = pl.DataFrame(
        {
            "note_id": holders.astype(str),
            "version": "icd9cm",
            "code": np.repeat(rank, count).astype(str),
        }
    )
    return notes, labels


def _off_target(labels, assigned):
    """Return the mean over codes of how far test's share of the code's notes is from TEST."""
    shares = labels.join(assigned, on="note_id").group_by("code")
    shares = shares.agg((pl.col("split") == "test").mean().alias("share"))
    return (shares["share"] - TEST).abs().mean()


def test_codes_share_out_nearer_to_the_target_than_at_random():
    """On average over codes, and for every seed tried; by a good margin for codes of 10 notes."""
    notes, labels = _long_tail(3000, 700, 6, 1)
    frequent = labels.filter(pl.len().over("code") >= 10)
    for seed in range(3):
        stratified = split_stratified(notes, labels, DEV, TEST, seed)
        at_random = split_by_patient(notes, DEV, TEST, seed)
        assert _off_target(labels, stratified) < _off_target(labels, at_random)
        assert _off_target(frequent, stratified) < 0.6 * _off_target(frequent, at_random)


def test_the_size_of_mimic3_takes_seconds():
    """52,722 documents with 8,929 codes: well under a minute; some seconds on one core."""
    notes, labels = _long_tail(52_722, 8_929, 16, 1)
    assert labels["code"].n_unique() == 8_929
    start = time.process_time()
    assigned = split_stratified(notes, labels, 0.1, 0.15, 1)
    assert time.process_time() - start < 20
    shares = dict(assigned["split"].value_counts(normalize=True).rows())
    assert abs(shares["test"] - 0.15) < 0.03
