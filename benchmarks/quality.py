"""Benchmark of the quality report: notes of a recipe at full size, and as many train notes.

The tables' texts are invented words in MIMIC-III's lengths. No yardstick: there is no other plain
way to the same table. `all_pairs_s` is the time that self-BLEU takes on its sample with every note
held against every other (sacrebleu's way, in plain Python), beside `self_bleu_s` of ours.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
from measure import measured, report

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
sys.path.insert(0, str(ROOT / "tests"))

CODES = 8  # of a note


def texts(count, words, seed):
    """Yield texts of invented words: frequencies by a power law, lengths log-normal."""
    generator = np.random.default_rng(seed)
    vocabulary = np.array([f"w{number:x}" for number in range(30_000)])
    for length in generator.lognormal(np.log(words), 0.5, count).astype(int):
        drawn = vocabulary[generator.zipf(1.3, length + 1) % len(vocabulary)]
        yield "Chief Complaint:\n" + " ".join(drawn)


def write_inputs(folder, notes, words):
    """Write the inputs of `assess_notes`; return their paths."""
    from longtail_icd.common.tables import write_rows, write_table  # noqa: PLC0415
    from quality_notes import corpus_notes, label, note, write_files  # noqa: PLC0415

    paths = write_files(folder)
    known = ["428.0", "401.9", "38.93", "V45.81"]
    write_rows(
        (
            corpus_notes(1).row(0, named=True)
            | {"note_id": f"n{number}", "patient_id": f"p{number}", "text": text}
            for number, text in enumerate(texts(notes, words, 1))
        ),
        paths["train_notes"],
        "corpus/notes",
    )
    write_rows(
        (note(number) | {"text": text} for number, text in enumerate(texts(notes, words, 2))),
        paths["notes"],
        "generation/notes",
    )
    write_rows(
        (
            label(number, known[place % len(known)], "companion" if place else "anchor")
            for number in range(notes)
            for place in range(CODES)
        ),
        paths["labels"],
        "generation/labels",
    )
    write_table(_train_labels(notes, known), paths["train_labels"], "corpus/labels")
    return paths


def _train_labels(notes, known):
    import polars as pl  # noqa: PLC0415

    return pl.select(number=pl.int_range(notes * CODES)).select(
        note_id=pl.format("n{}", pl.col("number") // CODES),
        version=pl.lit("icd9cm"),
        code=pl.col("number").mod(len(known)).replace_strict(dict(enumerate(known))),
        kind=pl.lit("diagnosis"),
        position=(pl.col("number") % CODES + 1).cast(pl.Int32),
    )


def assess(paths, sample):
    """Make the table; return its number of rows."""
    from longtail_icd.generation.quality.assessment import assess_files  # noqa: PLC0415

    return assess_files(paths, sample, 1).height


def all_pairs(notes):
    """Return the BLEU-4 precisions of each note with the others' n-grams united anew each time."""
    from longtail_icd.generation.quality.variety import ngrams  # noqa: PLC0415

    for place, note in enumerate(notes):
        for length in range(1, 5):
            most = Counter()
            for other in notes[:place] + notes[place + 1 :]:
                most |= Counter(ngrams(other, length))
            sum((Counter(ngrams(note, length)) & most).values())


def self_bleu_seconds(words, notes):
    """Return the seconds of ours and of the plain way."""
    from longtail_icd.generation.quality.variety import self_bleu  # noqa: PLC0415

    sample = [text.split() for text in texts(notes, words, 3)]
    seconds = []
    for way in (self_bleu, all_pairs):
        start = time.perf_counter()
        way(sample)
        seconds.append(round(time.perf_counter() - start, 2))
    return dict(zip(("self_bleu_s", "all_pairs_s"), seconds, strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=5_000, help="of the recipe, and of train")
    parser.add_argument("--words", type=int, default=300, help="of a note, median")
    parser.add_argument("--sample", type=int, default=1_000, help="notes that are compared")
    parser.add_argument("--bleu-notes", type=int, default=20, help="of the self-BLEU comparison")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths, _ = measured(partial(write_inputs, Path(folder), arguments.notes, arguments.words))
        rows, figures = measured(partial(assess, paths, arguments.sample))
    bleu, _ = measured(partial(self_bleu_seconds, arguments.words, arguments.bleu_notes))
    report(
        stage="quality",
        **figures,
        notes=arguments.notes,
        sample=arguments.sample,
        rows=rows,
        **bleu,
    )


if __name__ == "__main__":
    main()
