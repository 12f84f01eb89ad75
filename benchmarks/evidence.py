"""Do the passages that a code looked at matter more than others? Deletion, on a trained model.

For every predicted code of a note, the words of its passages are deleted, and the note is read
again; then, in their place, runs of as many words elsewhere, drawn by chance. What counts is how
far the code's logit falls. Intervals: percentile bootstrap over notes. Deletion makes texts that
nobody wrote, so this compares passages with each other; it is no measure of what a code rests on.
"""

import argparse
import re
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from measure import report

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from longtail_icd.prediction.coder import NoteCoder
from longtail_icd.prediction.notes import Note

WORD = re.compile(r"\S+")


def without(text, words, chosen):
    """Return the text with the chosen words (by number) deleted."""
    kept = np.ones(len(text), dtype=bool)
    for number in chosen:
        start, end = words[number]
        kept[start:end] = False
    return "".join(character for character, keep in zip(text, kept, strict=True) if keep)


def runs_elsewhere(sizes, looked_at, words, draw):
    """Return numbers of words in runs of these sizes that are not among those looked at."""
    free = [number for number in range(words) if number not in looked_at]
    chosen = set()
    for size in sizes:
        start = int(draw.integers(max(len(free) - size, 0) + 1))
        chosen |= set(free[start : start + size])
    return chosen


def drops(coder, note, draws, draw):
    """Return, for each predicted code of a note, how far its logit falls: passages, others."""
    (coded,) = coder.code([note])
    index = {label.code: row for row, label in enumerate(coder.labels)}
    words = [match.span() for match in WORD.finditer(note.text)]
    found = []
    for code in coded.codes:
        inside = [
            [n for n, (start, end) in enumerate(words) if start < one.end and end > one.start]
            for one in code.passages
        ]
        looked_at = {number for one in inside for number in one}
        if not looked_at or 2 * len(looked_at) > len(words):
            continue
        others = [
            runs_elsewhere(map(len, inside), looked_at, len(words), draw) for _ in range(draws)
        ]
        read = [note.text, *(without(note.text, words, one) for one in [looked_at, *others])]
        whole, passages, *rest = coder.logits(read)[:, index[code.code]]
        found.append((whole - passages, whole - np.mean(rest), len(looked_at)))
    return found


def interval(values, notes, draw, samples=1000):
    """Return the mean of values and the interval of a bootstrap over notes."""
    sums, counts = (np.bincount(notes, weights) for weights in (values, np.ones(len(values))))
    drawn = draw.integers(len(sums), size=(samples, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return [round(float(one), 3) for one in (values.mean(), *np.quantile(means, [0.025, 0.975]))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a model folder")
    parser.add_argument("--notes", required=True, help="a table corpus/notes, such as test.parquet")
    parser.add_argument("--count", type=int, default=200, help="notes, the first by id")
    parser.add_argument("--draws", type=int, default=5, help="of other words, for each code")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start, draw = time.perf_counter(), np.random.default_rng(options.seed)
    coder = NoteCoder(options.model)
    table = pl.scan_parquet(options.notes).select("note_id", "text").sort("note_id")
    rows, notes = [], []
    for number, row in enumerate(table.head(options.count).collect().iter_rows()):
        found = drops(coder, Note(*row), options.draws, draw)
        rows += found
        notes += [number] * len(found)
    passages, others, words = np.array(rows).T
    # Notes without a predicted code count for nothing.
    _, notes = np.unique(notes, return_inverse=True)
    report(
        benchmark="evidence",
        wall_s=round(time.perf_counter() - start, 1),
        codes=len(rows),
        words_deleted=round(float(words.mean()), 2),
        drop_passages=interval(passages, notes, draw),
        drop_others=interval(others, notes, draw),
        difference=interval(passages - others, notes, draw),
        passages_matter_more=round(float((passages > others).mean()), 3),
    )


if __name__ == "__main__":
    main()
