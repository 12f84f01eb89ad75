"""How often do intervals of a difference hold the truth? Simulated comparisons of two models.

Patients have many labels or few, and are easy or hard for both models, which find the same labels
more often than by chance. Every comparison is a fresh test set of the same population, codes and
models. The truth is the mean of the difference over fresh test sets of the same size. Held against
it: the percentile bootstrap of patients (naive), the same spread around the value (normal), the
percentile bootstrap of codes, and the jackknife of patients; in brackets their mean width.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from measure import measured, report
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from longtail_icd.evaluation.intervals import interval
from longtail_icd.evaluation.metrics import code_terms, macro_metrics
from longtail_icd.evaluation.resampling import PatientCounts, patient_weights
from longtail_icd.evaluation.run_statistics import run_statistics

# Per tier: codes, gold labels per code and test set, recall of both models, false positives per
# gold label. Frequencies are those of MIMIC-III's test set; a tenth of its codes.
TIERS = {
    "head": (14, 210.0, (0.70, 0.70), 0.4),
    "medium": (88, 25.0, (0.45, 0.46), 0.5),
    "tail": (247, 3.0, (0.25, 0.28), 0.5),
    "few_shot": (520, 0.27, (0.06, 0.14), 0.3),
}
MACRO = ("macro_f1_all_codes", "macro_f1_harmonic", "macro_f1_test_codes")
SHOWN = ("all", "head", "tail", "few_shot")
KEYS = [
    *((tier, metric) for metric in ("micro_f1", *MACRO) for tier in SHOWN),
    ("all", "map"),
]
OF = ("value", "difference")  # of one run, of two
METHODS = ("naive", "normal", "codes", "jackknife")


class Population:
    """Draws test sets of ``patients`` patients."""

    def __init__(self, patients, seed):
        self.patients = patients
        self.generator = np.random.default_rng(seed)
        sizes = [one[0] for one in TIERS.values()]
        self.tier = np.repeat(np.arange(len(TIERS)), sizes)
        draw = self.generator.gamma
        self.rate = np.concatenate([draw(2, one[1] / 2, one[0]) for one in TIERS.values()])
        self.recall = np.array([one[2] for one in TIERS.values()])[self.tier].T
        # Codes differ in how well each model knows them; the second is not better on all.
        spread = self.generator.normal(0, 0.05, self.recall.shape)
        self.recall = np.clip(
            self.recall * np.exp(self.generator.normal(0, 0.5, len(self.tier))) + spread, 0, 0.95
        )
        self.false = np.array([one[3] for one in TIERS.values()])[self.tier] * self.rate

    def masks(self):
        """Return the codes of all tiers and of each."""
        tiers = {name: self.tier == number for number, name in enumerate(TIERS)}
        return {"all": np.ones(len(self.tier), dtype=bool), **tiers}

    def draw(self):
        """Return one test set: counts and document values of both models."""
        generator, codes = self.generator, len(self.tier)
        care = generator.gamma(3, 1 / 3, self.patients)  # how much a patient has
        ease = generator.normal(0, 0.6, self.patients)
        labels = generator.poisson(self.rate * care.sum() / self.patients)
        code = np.repeat(np.arange(codes), labels)
        patient = generator.choice(self.patients, len(code), p=care / care.sum())
        place, times = np.unique(patient * codes + code, return_counts=True)
        patient, code = np.divmod(place, codes)
        common = generator.normal(0, 1, len(place)) + ease[patient]
        models = []
        for recall in self.recall:
            latent = (common + generator.normal(0, 1, len(place))) / np.sqrt(2 + 0.36)
            hit = latent < norm.ppf(recall[code])
            false = generator.poisson(self.false)
            models.append(self._counts(place, times, hit, false))
        quality = generator.normal(0, 0.1, self.patients) + 0.1 * ease + 0.6
        documents = [
            np.clip(quality + generator.normal(0.01 * model, 0.08, self.patients), 0, 1)
            for model in range(2)
        ]
        return models, documents

    def _counts(self, place, times, hit, false):
        codes = len(self.tier)
        code = np.repeat(np.arange(codes), false)
        wrong = self.generator.integers(0, self.patients, len(code)) * codes + code
        everything, entry = np.unique(np.concatenate([place, wrong]), return_inverse=True)
        true, alarms = entry[: len(place)], entry[len(place) :]
        counts = np.zeros((len(everything), 3), dtype=np.int64)
        counts[true, 0] = times * hit
        counts[true, 2] = times * ~hit
        counts[:, 1] = np.bincount(alarms, minlength=len(everything))
        none = np.zeros(self.patients)
        return PatientCounts(*np.divmod(everything, codes), counts, none, codes)


def by_codes(models, codes, draws):
    """Return the bootstrap of codes: macro metrics' differences, [samples] by metric."""
    sides = []
    for counts in models:
        terms = code_terms(counts.per_code()[codes])
        sides.append(macro_metrics(terms @ draws.T, codes.sum()))
    return {metric: sides[1][metric] - sides[0][metric] for metric in sides[0]}


def draw_statistics(population, weights):
    """Return a test set's statistics, of one run and of the difference, and both runs' counts."""
    models, documents = population.draw()
    patient, masks = np.arange(population.patients), population.masks()
    none = {name: {} for name in masks}
    sides = [
        run_statistics(counts, none | {"all": {"map": values}}, patient, masks, weights)
        for counts, values in zip(models, documents, strict=True)
    ]
    differences = {key: sides[1][key].minus(one) for key, one in sides[0].items()}
    return {"value": sides[0], "difference": differences}, models


def bounds_of(statistic):
    """Return the bounds of every method but the bootstrap of codes."""
    found = interval(statistic, 0.95)
    reach = norm.isf(0.025) * statistic.samples.std(ddof=1)
    bounds = {
        "naive": (found.naive_low, found.naive_high),
        "normal": (statistic.value - reach, statistic.value + reach),
    }
    return bounds | (
        {"jackknife": (found.low, found.high)} if statistic.without is not None else {}
    )


def simulate(options):
    """Return the truth, and per method the coverage and mean width in percent and points."""
    population = Population(options.patients, options.seed)
    one = np.ones((1, options.patients), dtype=int)
    values = {(of, *key): [] for of in OF for key in KEYS}
    for _ in range(options.truth):
        found, _ = draw_statistics(population, one)
        for (of, *key), kept in values.items():
            kept.append(found[of][tuple(key)].value)
    truth = {key: np.mean(kept) for key, kept in values.items()}

    bounds = {}
    for number in range(options.comparisons):
        weights = patient_weights(options.patients, options.samples, number)
        found, models = draw_statistics(population, weights)
        for of, *key in values:
            for method, pair in bounds_of(found[of][tuple(key)]).items():
                bounds.setdefault((of, *key, method), []).append(pair)
        for tier, codes in population.masks().items():
            draws = patient_weights(int(codes.sum()), options.samples, number)
            drawn = by_codes(models, codes, draws)
            for metric in MACRO:
                pair = np.quantile(drawn[metric], [0.025, 0.975])
                bounds.setdefault(("difference", tier, metric, "codes"), []).append(pair)
    rows = {}
    for (*key, method), pairs in bounds.items():
        if tuple(key) in truth:
            low, high = np.array(pairs).T
            inside = (low <= truth[tuple(key)]) & (truth[tuple(key)] <= high)
            rows[*key, method] = (100 * inside.mean(), 100 * (high - low).mean())
    return rows, truth


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comparisons", type=int, default=60)
    parser.add_argument("--truth", type=int, default=500, help="test sets that the truth is of")
    parser.add_argument("--patients", type=int, default=800)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    (rows, truth), figures = measured(lambda: simulate(options))
    print(f"| metric | tier | of | truth | {' | '.join(METHODS)} |")
    print("|---" * (4 + len(METHODS)) + "|")
    for of in OF:
        for tier, metric in KEYS:
            found = [rows.get((of, tier, metric, method)) for method in METHODS]
            cells = " | ".join(
                "" if one is None else "{:.1f} ({:.1f})".format(*one) for one in found
            )
            print(f"| {metric} | {tier} | {of} | {100 * truth[of, tier, metric]:.2f} | {cells} |")
    report(
        stage="coverage",
        **figures,
        comparisons=options.comparisons,
        coverage={
            f"{metric} {tier} {method}": round(float(rows[of, tier, metric, method][0]), 1)
            for of, tier, metric, method in rows
            if (of, tier) == ("difference", "few_shot")
        },
    )


if __name__ == "__main__":
    main()
