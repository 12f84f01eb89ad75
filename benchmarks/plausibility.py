"""Benchmark of drawn code sets on a simulated hospital: how like real ones, at which head load.

Strategy `paper`, which copies the sets of train notes, is the yardstick of each figure: it cannot
be told from train, and its head load is that of real notes. Dev, which the workflow never reads for
its plan, is the judge of the pairs: `dev` is the correlation of how often pairs of codes stand
together in the plan and there; `train_dev` is that of all train notes.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

from hospital import HOSPITALS, configuration, tables
from measure import measured, report
from plan import ADMISSIONS, INPUTS, PLAN, SHARED, run_rule, shared_rules


def read(results, folder):
    """Return the tables that the plan is made of and judged by, by name."""
    import polars as pl  # noqa: PLC0415

    paths = {name: results / f"{INPUTS[name]}.parquet" for name in ("labels", "taxonomy")}
    paths |= {name: folder / f"{name}.parquet" for name in PLAN}
    paths["dev"] = results / "corpus/labels/dev.parquet"
    return {name: pl.read_parquet(path) for name, path in paths.items()}


def mine(results, folder, config):
    """Run the rules that every recipe shares."""
    files, settings = shared_rules(results, folder, config)
    for rule in SHARED:
        run_rule(rule, files, settings)


def built(results, folder, allocation, path, options):
    """Build the code sets of the allocation; return their number."""
    from longtail_icd.plan.allocation import allocate  # noqa: PLC0415
    from longtail_icd.plan.code_sets import build_code_sets  # noqa: PLC0415

    one = read(results, folder)
    mined = {name: one[name] for name in ("cooccurrence", "group_cooccurrence", "conflicts")}
    code_sets = build_code_sets(
        one["labels"],
        one["tiers"],
        one["taxonomy"],
        allocate(one["tiers"], **allocation),
        seed=1,
        reserve=0.0,
        **options,
        **mined,
    )
    code_sets.write_parquet(path)
    return len(code_sets)


def assessed(results, folder, path):
    """Return what the report says of all anchors of the code sets."""
    import polars as pl  # noqa: PLC0415
    from longtail_icd.plan.plausibility import ALL, assess_code_sets  # noqa: PLC0415

    one = read(results, folder)
    names = ("labels", "tiers", "taxonomy", "cooccurrence", "conflicts")
    found = assess_code_sets(pl.read_parquet(path), *(one[name] for name in names))
    rows = found.filter(tier=ALL).select("measure", "who", "value").rows()
    return {
        measure if who == "planned" else f"{measure}_train": value and round(value, 4)
        for measure, who, value in rows
    }


def against_dev(results, folder, path):
    """Return how well pairs go with those of dev: of the code sets, and of all train notes."""
    import polars as pl  # noqa: PLC0415
    from longtail_icd.plan.cooccurrence import mine_cooccurrence  # noqa: PLC0415
    from longtail_icd.plan.plausibility import pair_correlation  # noqa: PLC0415
    from longtail_icd.plan.set_features import label_space  # noqa: PLC0415

    one = read(results, folder)
    dev = one["dev"]
    space = label_space(
        one["tiers"], one["taxonomy"], mine_cooccurrence(dev), dev["note_id"].n_unique()
    )
    planned = pl.read_parquet(path).with_row_index("row").explode("codes")
    companions = planned.filter(pl.col("codes") != pl.col("anchor")).select("row", code="codes")
    train = one["labels"].select("code", row=pl.col("note_id").rank("dense") - 1).unique()
    found = {}
    for name, members in (("dev", companions), ("train_dev", train)):
        sets = space.matrix(members, members["row"].max() + 1)
        found[name] = round(pair_correlation(sets, space)[0], 4)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.01, help="1: MIMIC-III's size")
    parser.add_argument("--head-load", type=float, nargs="+", default=[1.0, 0.75, 0.5, 0.35])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, help="of what comes before the plan")
    parser.add_argument("--folder", type=Path, default=HOSPITALS)
    arguments = parser.parse_args()
    admissions = round(arguments.scale * ADMISSIONS)
    results = tables(admissions, arguments.seed, arguments.folder, arguments.processes)
    config = configuration("mimic3_full")
    allocation = config["recipes"]["paper"]["allocation"]
    variants = {"paper": {"strategy": "paper"}} | {
        f"sample_{load:g}": {"strategy": "sample", "head_load": load}
        for load in arguments.head_load
    }
    steps = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        measured(partial(mine, results, folder, config))
        for name, options in variants.items():
            path = folder / f"{name}.parquet"
            requests, build = measured(partial(built, results, folder, allocation, path, options))
            values, assess = measured(partial(assessed, results, folder, path))
            judged, _ = measured(partial(against_dev, results, folder, path))
            steps[name] = {"requests": requests, **values, **judged, "build": build} | assess
    report(
        stage="plausibility",
        wall_s=round(sum(one["wall_s"] for one in steps.values()), 2),
        cpu_s=round(sum(one["cpu_s"] for one in steps.values()), 2),
        peak_rss_mb=max(one["peak_rss_mb"] for one in steps.values()),
        scale=arguments.scale,
        steps=steps,
    )


if __name__ == "__main__":
    main()
