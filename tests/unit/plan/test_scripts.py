"""The stage's scripts on small tables: they run as Snakemake runs them, to the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common.tables import TABLES, read_table, write_table

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"

# Runs the rules in order in one process, as Snakemake would each in its own.
RUN = """
import runpy, sys
from pathlib import Path
from types import SimpleNamespace as Space
scripts, folder = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(scripts))
params = dict(
    label_space="taxonomy", kinds=["diagnosis"], tiers=dict(head=4, medium=3, tail=2),
    allocation=dict(method="paper", alpha=0.5, cap=12, offset=5, zero_shot=5),
    code_sets=dict(strategy="paper", seed=1), exemplars=dict(method="source"),
)
names = ["labels", "notes", "taxonomy", "synonyms", "tiers", "allocation", "code_sets"]
names += ["cooccurrence", "exemplars"]
files = {name: str(folder / f"{name}.parquet") for name in names}
ranked = dict(count=2, max_uses=9, text_weight=0.3, excerpt_words=30, seed=1, method="ranked")
rules = ["mine_cooccurrence", "stratify_codes", "allocate_notes", "build_code_sets"]
for rule in [*rules, "select_exemplars", "select_exemplars"]:
    if Path(files["exemplars"]).exists():
        files["exemplars"] = str(folder / "ranked.parquet")
        params["exemplars"] = ranked
    both = Space(**files)
    log = [str(folder / f"{rule}.log")]
    job = Space(rule=rule, input=both, output=both, log=log, params=Space(**params))
    runpy.run_path(str(scripts / f"{rule}.py"), {"snakemake": job}, "__main__")
"""


def write_inputs(folder: Path, seed: int) -> None:
    """Write train notes with labels and a terminology, in an order that the seed decides."""
    notes = [(f"{100 + note}", f"10{note % 7}.{note % 3}") for note in range(40)]
    notes += [(note, "401.9") for note, _ in notes]
    labels = [(note, "icd9cm", code, "diagnosis", 1) for note, code in notes]
    above = ("100-109", "I")
    nodes = [
        ("icd9cm", f"{category}.{digit}", "diagnosis", "", "", category, category, *above, True)
        for category in map(str, range(100, 107))
        for digit in range(5)
    ]
    texts = [
        (note, note, None, "F", 50.0, f"Seen for disease {code[-1]}. Number {note}.")
        for note, code in notes[:40]
    ]
    synonyms = [("icd9cm", node[1], f"disease {node[1][-1]}", "short_title") for node in nodes]
    for name, file, rows in (
        ("corpus/labels", "labels", labels),
        ("corpus/notes", "notes", texts),
        ("terminology/codes", "taxonomy", nodes),
        ("terminology/synonyms", "synonyms", synonyms),
    ):
        frame = pl.DataFrame(rows, schema=TABLES[name].columns, orient="row")
        shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
        write_table(shuffled, folder / f"{file}.parquet", name)


@pytest.fixture(scope="module")
def twice(tmp_path_factory) -> list[Path]:
    """Two runs that differ in row order of the inputs, hash seed and number of threads."""
    folders = []
    for seed, threads in ((1, "1"), (2, "2")):
        folder = tmp_path_factory.mktemp("plan")
        write_inputs(folder, seed)
        environment = {**os.environ, "PYTHONHASHSEED": str(seed), "POLARS_MAX_THREADS": threads}
        command = [sys.executable, "-c", RUN, str(SCRIPTS), str(folder)]
        subprocess.run(command, check=True, env=environment)
        folders.append(folder)
    return folders


@pytest.mark.parametrize(
    "name", ["cooccurrence", "tiers", "allocation", "code_sets", "exemplars", "ranked"]
)
def test_same_bytes_whatever_the_order_threads_and_hash_seed(twice, name):
    first, second = ((folder / f"{name}.parquet").read_bytes() for folder in twice)
    assert first == second


def test_stage_hangs_together(twice):
    """401.9 is in no taxonomy: a counted warning, and it goes on as a head code. Every
    allocated note has a code set and an exemplar entry."""
    folder = twice[0]
    log = (folder / "stratify_codes.log").read_text()
    assert "warning: 1 codes" in log
    assert "401.9" in log
    allocation = read_table(folder / "allocation.parquet", "plan/allocation")
    code_sets = read_table(folder / "code_sets.parquet", "plan/code_sets")
    exemplars = read_table(folder / "exemplars.parquet", "plan/exemplars")
    assert "401.9" not in allocation["code"]
    assert len(code_sets) == allocation["n_synthetic"].sum()
    assert exemplars["request_id"].equals(code_sets["request_id"])
    assert f"{len(code_sets)} code sets: " in (folder / "build_code_sets.log").read_text()
    assert "exemplars of " in (folder / "select_exemplars.log").read_text()
    shown = read_table(folder / "ranked.parquet", "plan/exemplars")
    assert shown["request_id"].equals(code_sets["request_id"])
    assert (shown["excerpts"].list.len() > 0).any()
