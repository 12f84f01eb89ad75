"""Benchmark of the plan stage on simulated train labels: pairs, tiers, allocation, code sets.

Labels are drawn independently with the frequencies of MIMIC-III (docs/paper.md names the law), so
the marginals are real and the pairs are more than in life: a hard case for the pair counts. The
yardstick counts pairs with a Counter over combinations; both must agree. Of the columns it has
counts and NPMI alone: scipy's exact test would take it minutes for the p-values that ours has, too.
`--notes 47723 --codes 8929` is the size of the MIMIC-III train split.
"""

import argparse
import math
import sys
import tempfile
from collections import Counter
from functools import partial
from itertools import combinations
from pathlib import Path

from measure import measured, report, versus

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

# Code frequencies by rank, lambda_r = C (r + q)^-a e^(-r/k), and labels per note, lognormal.
Q, A, K = 13.60, 1.036, 2614
LABELS_MU, LABELS_SIGMA = math.log(14), 0.51
EDGES = {"head": 1000, "medium": 100, "tail": 10}
ALLOCATION = {"method": "paper", "alpha": 0.5, "cap": 50, "offset": 5, "zero_shot": 50}


def simulate(folder, notes, codes, seed):
    """Write train labels and a taxonomy in which 4 codes share a parent, 12 a category, …."""
    import numpy as np  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415
    from longtail_icd.common.tables import write_table  # noqa: PLC0415

    generator = np.random.default_rng(seed)
    rank = np.arange(1, codes + 1)
    weight = (rank + Q) ** -A * np.exp(-rank / K)
    sizes = np.exp(generator.normal(LABELS_MU, LABELS_SIGMA, notes)).round().clip(1).astype(int)
    drawn = generator.choice(codes, size=sizes.sum(), p=weight / weight.sum())
    names = pl.Series([f"{number:05d}" for number in range(codes)])
    # Frequency and place in the taxonomy are unrelated.
    place = generator.permutation(codes)
    labels = pl.DataFrame({"note_id": np.repeat(np.arange(notes), sizes), "code": names[drawn]})
    labels = labels.unique(maintain_order=True).with_columns(
        pl.col("note_id").cast(pl.String),
        version=pl.lit("icd9cm"),
        kind=pl.lit("diagnosis"),
        position=pl.lit(1, pl.Int32),
    )
    write_table(labels, folder / "labels.parquet", "corpus/labels")
    levels = {"parent": 4, "category": 12, "block": 60, "chapter": 500}
    groups = {level: pl.Series(place // size).cast(pl.String) for level, size in levels.items()}
    text = {"version": "icd9cm", "kind": "diagnosis", "title": "", "title_source": ""}
    taxonomy = pl.DataFrame({"code": names, **groups}).with_columns(
        *(pl.lit(value).alias(column) for column, value in text.items()), is_leaf=pl.lit(True)
    )
    write_table(taxonomy, folder / "taxonomy.parquet", "terminology/codes")
    return len(labels)


def pairs_ours(folder):
    from longtail_icd.common.tables import read_table  # noqa: PLC0415
    from longtail_icd.plan.cooccurrence import mine_cooccurrence  # noqa: PLC0415

    pairs = mine_cooccurrence(read_table(folder / "labels.parquet", "corpus/labels"))
    pairs.write_parquet(folder / "cooccurrence.parquet")
    return len(pairs), pairs["notes"].sum(), round(pairs["npmi"].sum(), 3)


def pairs_plain(folder):
    import polars as pl  # noqa: PLC0415

    labels = pl.read_parquet(folder / "labels.parquet", columns=["note_id", "code"])
    notes = labels.group_by("note_id").agg("code")["code"].to_list()
    single, both = Counter(), Counter()
    for codes in notes:
        single.update(codes)
        both.update(combinations(sorted(codes), 2))
    rows = []
    for (a, b), count in sorted(both.items()):
        expected = single[a] * single[b] / len(notes)
        information = math.log((count + 0.5) / (expected + 0.5))
        surprise = -math.log(count / len(notes))
        limit = len(notes) / (len(notes) + 0.5)
        rows.append((a, b, count, information / surprise if surprise else limit))
    pairs = pl.DataFrame(rows, schema=["code_a", "code_b", "notes", "npmi"], orient="row")
    pairs.write_parquet(folder / "plain.parquet")
    return len(pairs), pairs["notes"].sum(), round(pairs["npmi"].sum(), 3)


def plan(folder):
    """Everything after the corpus: pairs, tiers, allocation, code sets, exemplars."""
    from longtail_icd.common.tables import read_table, write_table  # noqa: PLC0415
    from longtail_icd.plan.allocation import allocate  # noqa: PLC0415
    from longtail_icd.plan.code_sets import build_code_sets, summary  # noqa: PLC0415
    from longtail_icd.plan.exemplars import select_exemplars  # noqa: PLC0415
    from longtail_icd.plan.tiers import stratify, taxonomy_space  # noqa: PLC0415

    pairs_ours(folder)
    labels = read_table(folder / "labels.parquet", "corpus/labels")
    taxonomy = read_table(folder / "taxonomy.parquet", "terminology/codes")
    tiers = stratify(taxonomy_space(labels, taxonomy, ["diagnosis"]), labels, EDGES)
    allocation = allocate(tiers, **ALLOCATION)
    code_sets = build_code_sets(labels, tiers, taxonomy, allocation, strategy="paper", seed=1)
    write_table(code_sets, folder / "code_sets.parquet", "plan/code_sets")
    exemplars = select_exemplars(code_sets, "source")
    write_table(exemplars, folder / "exemplars.parquet", "plan/exemplars")
    print(summary(code_sets), flush=True)
    return len(code_sets), len(allocation)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=2000)
    parser.add_argument("--codes", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = partial(simulate, folder, arguments.notes, arguments.codes, arguments.seed)
        labels, _ = measured(inputs)
        (requests, anchors), whole = measured(partial(plan, folder))
        found, ours = measured(partial(pairs_ours, folder))
        expected, yardstick = measured(partial(pairs_plain, folder))
    if found[:2] != expected[:2] or abs(found[2] - expected[2]) > 0.01:
        sys.exit(f"the yardstick counts other pairs: {found} against {expected}")
    report(
        stage="plan",
        **whole,
        notes=arguments.notes,
        labels=labels,
        anchors=anchors,
        requests=requests,
        pairs=found[0],
        requests_per_s=round(requests / whole["wall_s"]),
        pairs_wall_s=ours["wall_s"],
        **versus(ours, yardstick),
    )


if __name__ == "__main__":
    main()
