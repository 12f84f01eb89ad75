"""Benchmark of the evaluation stage: all metrics of one run, and the bootstrap of a pair of runs.

Scores lie in a file of the workflow's own format, gold labels in a sparse one; both are made once
and their making does not count. The yardstick is torchmetrics on dense tensors, as GKI-ICD uses it,
for the metrics that it has: F1, AUC, precision at k and label ranking average precision.
"""

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from measure import measured, report
from scipy import sparse

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

CUT = -1.2  # a logit: about 6 false positives a note at 8,929 codes
CUTS = [5, 8, 15]
TIERS = ("head", "medium", "tail", "few_shot", "zero_shot")
SHARES = (0.016, 0.098, 0.277, 0.582, 0.027)  # of MIMIC-III's codes


def tiers_of(codes):
    """Return each code's tier, the most frequent codes first."""
    return np.searchsorted(np.cumsum(SHARES)[:-1], (np.arange(codes) + 0.5) / codes)


def make_gold(notes, codes, folder):
    """File gold labels with a frequency curve like a hospital's, about 16 a note."""
    generator = np.random.default_rng(1)
    rate = 1 / np.arange(3, codes + 3) ** 0.95
    rate = np.minimum(0.4, rate * 16 / rate.sum())
    drawn = [np.flatnonzero(generator.random(notes) < one) for one in rate]
    columns = np.repeat(np.arange(codes), [len(one) for one in drawn])
    places = (np.concatenate(drawn), columns)
    gold = sparse.csr_array((np.ones(len(columns), dtype=bool), places), shape=(notes, codes))
    sparse.save_npz(folder / "gold.npz", gold)


def make_scores(folder, name, seed, skill):
    """File scores note by note, so that no more than a few are held."""
    gold = sparse.load_npz(folder / "gold.npz")
    notes, codes = gold.shape
    ids = {
        "note_ids": [f"n{row}" for row in range(notes)],
        "codes": [f"c{x}" for x in range(codes)],
    }
    header = {
        "__metadata__": {key: json.dumps(value) for key, value in ids.items()},
        "logits": {"dtype": "F32", "shape": gold.shape, "data_offsets": [0, 4 * notes * codes]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    generator = np.random.default_rng(seed)
    with (folder / f"{name}.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for row in range(notes):
            scores = 1.5 * generator.standard_normal(codes, dtype=np.float32) - 6
            scores[gold.indices[slice(*gold.indptr[row : row + 2])]] += skill
            file.write(scores.tobytes())


def all_metrics(folder):
    from longtail_icd.evaluation.evaluate import evaluate  # noqa: PLC0415
    from longtail_icd.evaluation.scores import read_scores  # noqa: PLC0415

    scores = read_scores(folder / "one.safetensors").logits
    gold = sparse.load_npz(folder / "gold.npz")
    return evaluate(scores, gold, CUT, CUTS, tiers_of(scores.shape[1]), TIERS).values["all"]


def torchmetrics(folder, threads):
    import torch  # noqa: PLC0415
    from longtail_icd.evaluation.scores import read_scores  # noqa: PLC0415
    from torchmetrics.functional import classification as tm  # noqa: PLC0415

    torch.set_num_threads(threads)
    scores = torch.tensor(np.array(read_scores(folder / "one.safetensors").logits)).sigmoid()
    gold = torch.tensor(sparse.load_npz(folder / "gold.npz").toarray()).int()
    codes = gold.shape[1]
    threshold = 1 / (1 + np.exp(-CUT))
    both = gold.any(dim=0) & (gold == 0).any(dim=0)
    found = {
        f"{average}_f1{suffix}": tm.multilabel_f1_score(
            scores, gold, codes, threshold=threshold, average=average
        )
        for average, suffix in (("micro", ""), ("macro", "_all_codes"))
    }
    found["auc_micro"] = tm.multilabel_auroc(scores, gold, codes, average="micro")
    found["auc_macro"] = tm.multilabel_auroc(scores[:, both], gold[:, both], int(both.sum()))
    rows = gold.any(dim=1)
    found["map"] = tm.multilabel_ranking_average_precision(scores[rows], gold[rows], codes)
    for cut in CUTS:
        best = scores[rows].topk(cut, dim=1).indices
        found[f"precision_at_{cut}"] = gold[rows].gather(1, best).float().mean()
    return {metric: float(value) for metric, value in found.items()}


def pair_bootstrap(folder, samples):
    """Return the number of differences with an interval."""
    from longtail_icd.evaluation.compare import compare, read_run  # noqa: PLC0415
    from longtail_icd.evaluation.gold import GoldStandard  # noqa: PLC0415
    from longtail_icd.evaluation.resampling import patient_weights  # noqa: PLC0415
    from longtail_icd.evaluation.scores import read_scores  # noqa: PLC0415

    labels = sparse.load_npz(folder / "gold.npz")
    notes, codes = labels.shape
    patient = np.arange(notes) * 5 // 6  # 1.2 notes a patient
    gold = GoldStandard(labels, np.zeros(notes), patient, tiers_of(codes), "", "")
    weights = patient_weights(int(patient.max()) + 1, samples, 1)
    runs = [
        read_run(name, read_scores(folder / f"{name}.safetensors"), CUT, gold, weights, CUTS)
        for name in ("one", "other")
    ]
    options = {"samples": samples, "confidence": 0.95, "seed": 1}
    names = {"baseline": "one", "against": "other", "model": "none"}
    return len(compare(runs[:1], runs[1:], options, names))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=500)
    parser.add_argument("--codes", type=int, default=2000)
    parser.add_argument("--samples", type=int, default=1000, help="of the bootstrap; 0: none")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--alone", action="store_true", help="without the yardstick")
    options = parser.parse_args()
    extra = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_gold(options.notes, options.codes, folder)
        make_scores(folder, "one", 1, 5.5)
        values, figures = measured(partial(all_metrics, folder))
        if not options.alone:
            expected, plain = measured(partial(torchmetrics, folder, options.threads))
            extra |= {
                "speedup": round(plain["wall_s"] / figures["wall_s"], 2),
                "cpu_speedup": round(plain["cpu_s"] / figures["cpu_s"], 2),
                "memory_ratio": round(plain["peak_rss_mb"] / figures["peak_rss_mb"], 2),
                "largest_difference": max(abs(values[name] - expected[name]) for name in expected),
            }
        if options.samples:
            make_scores(folder, "other", 2, 5.7)
            rows, pair = measured(partial(pair_bootstrap, folder, options.samples))
            extra["pair"] = {"differences": rows, "samples": options.samples, **pair}
    report(
        stage="evaluation",
        **figures,
        notes_per_s=round(options.notes / figures["wall_s"], 1),
        notes=options.notes,
        codes=options.codes,
        **extra,
    )


if __name__ == "__main__":
    main()
