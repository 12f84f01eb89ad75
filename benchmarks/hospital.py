"""A simulated hospital for the benchmarks: made once and kept, and its tables up to the plan."""

import hashlib
import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from measure import measured

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"
HOSPITALS = ROOT / "results" / "hospitals"
sys.path.insert(0, str(SCRIPTS))

OVERLAYS = {"mimic3": "simulated_full", "mimic4": "simulated_mimic4"}


def configuration(*overlays):
    """Return the configuration of the demo with these overlays on top."""
    import yaml  # noqa: PLC0415
    from snakemake.utils import update_config  # noqa: PLC0415

    merged = {}
    for name in ("config", *overlays):
        text = (ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8")
        update_config(merged, yaml.safe_load(text))
    return merged


def parameters(layout, admissions, seed):
    """Return the simulation's parameters: those of the full-size overlay, but for the size."""
    merged = configuration(OVERLAYS[layout])["corpus"]["simulation"]
    return merged | {"documents": admissions, "seed": seed}


def simulated(settings, folder, processes):
    """Simulate into ``folder``; return the seconds it took."""
    from longtail_icd.common.files import atomic_folder, write_json  # noqa: PLC0415
    from longtail_icd.corpus.simulator.simulation import simulate  # noqa: PLC0415

    resources = ROOT / "resources"
    start = time.perf_counter()
    with atomic_folder(folder) as temporary:
        simulate(
            settings,
            resources / "icd9_ranges.csv",
            resources / "hospital_prose.yaml",
            temporary,
            processes,
        )
        seconds = round(time.perf_counter() - start, 1)
        write_json({"seconds": seconds, "simulation": settings}, temporary / "simulation.json")
    return seconds


def hospital(layout, admissions, seed, parent, processes):
    """Return the folder of a hospital, simulated unless it is there, and the seconds it took."""
    from longtail_icd.common.code_hash import hash_stage  # noqa: PLC0415

    settings = parameters(layout, admissions, seed)
    code = hash_stage(ROOT / "workflow" / "scripts", "corpus/simulator", "simulate_hospital")
    key = hashlib.sha256(json.dumps([settings, code], sort_keys=True).encode()).hexdigest()[:8]
    folder = parent / f"{layout}-{admissions}-{key}"
    if folder.is_dir():
        return folder, json.loads((folder / "simulation.json").read_text())["seconds"]
    seconds, _ = measured(partial(simulated, settings, folder, processes))
    return folder, seconds


def tables(admissions, seed, parent, processes):
    """Return the folder of results of a simulated MIMIC-III up to the plan, made unless there.

    Snakemake's own rules make them, and again only where their code has changed.
    """
    folder, _ = hospital("mimic3", admissions, seed, parent, processes)
    name = f"benchmark_{admissions}_{seed}"
    results = ROOT / "results" / name
    targets = [
        *("corpus/notes/train", "corpus/labels/train", "corpus/codes"),
        *("terminology/codes", "terminology/synonyms", "terminology/excludes"),
    ]
    command = [
        *(sys.executable, "-m", "snakemake", "--cores", str(processes), "--nolock"),
        *("--configfile", f"config/{OVERLAYS['mimic3']}.yaml"),
        *("--config", f"corpus={{name: {name}, path: {folder.resolve()}}}", "--"),
        *(f"results/{name}/{target}.parquet" for target in targets),
    ]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"benchmark: no tables: {done.stdout[-2000:]}")
    return results
