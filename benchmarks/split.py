"""Benchmark of the stratified split on a made-up corpus with MIMIC-III's code frequencies.

Frequencies follow the rank law of docs/paper.md over 18,449 codes; each code labels documents at
random, so no codes belong together. Patients are those of MIMIC-III with a summary, by number.
Beside the time it prints how far test's share of a code is from the target, in points on average
over codes, and how many codes of test train lacks; both also for patients at random.
`--documents 52722` is the size of MIMIC-III.
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path

from measure import measured, report

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

CODES, MENTIONS, PATIENTS, DOCUMENTS = 18_449, 837_374, 41_126, 52_722
DEV, TEST = 0.10, 0.15


def corpus(documents, seed):
    """Return notes and labels."""
    import numpy as np  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415

    draw = np.random.default_rng(seed)
    rank = np.arange(1, CODES + 1)
    law = (rank + 13.60) ** -1.036 * np.exp(-rank / 2614)
    counts = draw.poisson(law / law.sum() * MENTIONS * documents / DOCUMENTS)
    holders = [draw.choice(documents, min(count, documents), replace=False) for count in counts]
    patients = round(documents * PATIENTS / DOCUMENTS)
    of_note = np.concatenate(
        [np.arange(patients), draw.integers(0, patients, documents - patients)]
    )
    notes = pl.DataFrame(
        {"note_id": np.arange(documents).astype(str), "patient_id": of_note.astype(str)}
    )
    labels = pl.DataFrame(
        {
            "note_id": np.concatenate(holders).astype(str),
            "code": np.repeat(rank, [len(one) for one in holders]).astype(str),
        }
    )
    return notes, labels.with_columns(version=pl.lit("icd9cm"))


def quality(labels, assigned):
    """Return the mean distance to the target in points, and codes of test that train lacks."""
    import polars as pl  # noqa: PLC0415

    is_test, is_train = pl.col("split") == "test", pl.col("split") == "train"
    codes = labels.join(assigned, on="note_id").group_by("code")
    codes = codes.agg(share=is_test.mean(), unseen=is_test.any() & ~is_train.any())
    distance = 100 * (codes["share"] - TEST).abs().mean()
    return round(distance, 1), int(codes["unseen"].sum())


def split(documents, method, seed):
    """Make the corpus and split it; return figures of the corpus, the split and its time.

    All in the child that is measured: a process forked after polars has run may stand still.
    """
    from longtail_icd.corpus.split import split_by_patient  # noqa: PLC0415
    from longtail_icd.corpus.stratified import split_stratified  # noqa: PLC0415

    notes, labels = corpus(documents, seed)
    start = time.perf_counter()
    if method == "stratified":
        assigned = split_stratified(notes, labels, DEV, TEST, seed)
    else:
        assigned = split_by_patient(notes, DEV, TEST, seed)
    wall = time.perf_counter() - start
    off, unseen = quality(labels, assigned)
    return {
        "labels": labels.height,
        "codes": labels["code"].n_unique(),
        "split_s": round(wall, 2),
        "test_share": round(assigned.filter(split="test").height / notes.height, 4),
        "off_target_points": off,
        "unseen_in_train": unseen,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    ours, figures = measured(partial(split, options.documents, "stratified", options.seed))
    at_random, _ = measured(partial(split, options.documents, "patient", options.seed))
    compared = ("split_s", "test_share", "off_target_points", "unseen_in_train")
    report(
        stage="corpus",
        documents=options.documents,
        test_asked=TEST,
        **ours,
        **{f"{name}_at_random": at_random[name] for name in compared},
        **figures,  # with making the corpus
    )


if __name__ == "__main__":
    main()
