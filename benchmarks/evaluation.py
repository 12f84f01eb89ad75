"""Benchmark of the evaluation stage: all metrics of one run, against scikit-learn."""

import argparse
import sys
from pathlib import Path

import numpy as np
from measure import measured, report, versus
from sklearn import metrics as sk

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from longtail_icd.evaluation import metrics


def simulated(notes, codes):
    """Return scores and gold labels with a frequency curve like a hospital's."""
    generator = np.random.default_rng(1)
    rate = np.minimum(0.4, 3.0 / np.arange(1, codes + 1))
    gold = generator.random((notes, codes), dtype=np.float32) < rate
    scores = generator.standard_normal((notes, codes), dtype=np.float32) + 2 * gold
    return scores, gold


def ours(notes, codes):
    scores, gold = simulated(notes, codes)
    values = metrics.decision_metrics(metrics.counts_per_code(gold, scores > 1.5))
    return values | metrics.ranking_metrics(scores, gold, [5, 8, 15])


def yardstick(notes, codes):

    scores, gold = simulated(notes, codes)
    both = gold.any(axis=0) & ~gold.all(axis=0)
    return {
        "micro_f1": sk.f1_score(gold, scores > 1.5, average="micro"),
        "macro_f1_all_codes": sk.f1_score(gold, scores > 1.5, average="macro", zero_division=0),
        "auc_macro": sk.roc_auc_score(gold[:, both], scores[:, both], average="macro"),
        "auc_micro": sk.roc_auc_score(gold, scores, average="micro"),
        "map": sk.label_ranking_average_precision_score(gold[gold.any(1)], scores[gold.any(1)]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=500)
    parser.add_argument("--codes", type=int, default=2000)
    sizes = vars(parser.parse_args())
    values, figures = measured(lambda: ours(**sizes))
    expected, plain = measured(lambda: yardstick(**sizes))
    worst = max(abs(values[name] - value) for name, value in expected.items())
    rate = sizes["notes"] / figures["wall_s"]
    report(
        stage="evaluation",
        **figures,
        **versus(figures, plain),
        notes_per_s=round(rate, 1),
        largest_difference=float(worst),
    )


if __name__ == "__main__":
    main()
