"""The stage's scripts on small tables: they run as Snakemake runs them, to the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common.tables import TABLES, read_table, write_table
from longtail_icd.plan.bounds import COLUMNS

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"

# Runs the rules in order in one process, as Snakemake would each in its own.
RUN = """
import runpy, sys
from pathlib import Path
from types import SimpleNamespace as Space
class Files(dict):
    __getattr__ = dict.__getitem__
scripts, folder = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(scripts))
params = dict(
    label_space="taxonomy", kinds=["diagnosis"], tiers=dict(head=4, medium=3, tail=2),
    allocation=dict(method="paper", alpha=0.5, cap=12, offset=5, zero_shot=5),
    code_sets=dict(strategy="paper", seed=1), exemplars=dict(method="source"),
)
names = ["labels", "notes", "taxonomy", "synonyms", "excludes", "tiers", "allocation"]
names += ["cooccurrence", "group_cooccurrence", "demographics", "conflicts"]
names += ["code_sets", "exemplars", "plausibility"]
files = {name: str(folder / f"{name}.parquet") for name in names}
files["bounds"] = str(folder / "bounds.csv")
ranked = dict(count=2, max_uses=9, text_weight=0.3, excerpt_words=30, seed=1, method="ranked")
rules = ["mine_cooccurrence", "stratify_codes", "find_conflicts", "allocate_notes"]
rules += ["build_code_sets", "assess_code_sets"]
for rule in [*rules, "select_exemplars", "select_exemplars"]:
    if Path(files["exemplars"]).exists():
        files["exemplars"] = str(folder / "ranked.parquet")
        params["exemplars"] = ranked
    both = Files(files)
    log = [str(folder / f"{rule}.log")]
    job = Space(rule=rule, input=both, output=both, log=log, params=Space(**params))
    runpy.run_path(str(scripts / f"{rule}.py"), {"snakemake": job}, "__main__")
"""


def write_inputs(folder: Path, seed: int) -> None:
    """Write the train split, in an order that the seed decides, a terminology and its rules.

    106 is of newborns and 105 of adults, and 100.0 excludes 102; notes carry neither pair.
    """
    codes = {f"{100 + note}": f"10{note % 7}.{note % 3}" for note in range(40)}
    labels = [(note, "icd9cm", code, "diagnosis", 1) for note, code in codes.items()]
    labels += [(note, "icd9cm", "401.9", "diagnosis", 1) for note in codes]
    ages = {"106": 0.0, "105": 50.0}
    texts = {note: f"Seen for disease {code[-1]}. Number {note}." for note, code in codes.items()}
    notes = [
        (note, f"p{note}", None, "FM"[int(note) % 2], ages.get(code[:3]), texts[note])
        for note, code in codes.items()
    ]
    above = ("100-109", "I")
    nodes = [
        ("icd9cm", f"{category}.{digit}", "diagnosis", "", "", category, category, *above, True)
        for category in map(str, range(100, 107))
        for digit in range(5)
    ]
    synonyms = [("icd9cm", node[1], f"disease {node[1][-1]}", "short_title") for node in nodes]
    tables = {
        "labels": ("corpus/labels", labels),
        "notes": ("corpus/notes", notes),
        "taxonomy": ("terminology/codes", nodes),
        "synonyms": ("terminology/synonyms", synonyms),
        "excludes": ("terminology/excludes", [("icd9cm", "100.0", "102", "not with 102")]),
    }
    for file, (name, rows) in tables.items():
        frame = pl.DataFrame(rows, schema=TABLES[name].columns, orient="row")
        shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
        write_table(shuffled, folder / f"{file}.parquet", name)
    ranges = ("106,106,,,1", "105,105,,18,")
    lines = [f"icd9cm,diagnosis,{line},words,ours" for line in ranges]
    (folder / "bounds.csv").write_text("\n".join([",".join(COLUMNS), *lines]))


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


MADE = ["cooccurrence", "group_cooccurrence", "tiers", "demographics", "conflicts"]
OF_RECIPE = ["allocation", "code_sets", "plausibility", "exemplars", "ranked"]


@pytest.mark.parametrize("name", [*MADE, *OF_RECIPE])
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
    assert "told apart with an AUC of" in (folder / "assess_code_sets.log").read_text()
    assert "exemplars of " in (folder / "select_exemplars.log").read_text()
    shown = read_table(folder / "ranked.parquet", "plan/exemplars")
    assert shown["request_id"].equals(code_sets["request_id"])
    assert (shown["excerpts"].list.len() > 0).any()


def test_conflicts_are_found_and_counted(twice):
    """Every 106.x against every 105.x; 100.0 against the five codes below 102."""
    conflicts = read_table(twice[0] / "conflicts.parquet", "plan/conflicts")
    sizes = conflicts.select("reason", pl.col("codes_a", "codes_b").list.len()).rows()
    assert sizes == [("excludes1", 1, 5), ("age", 5, 5)]
    log = (twice[0] / "find_conflicts.log").read_text()
    assert "10 codes of one sex or age only; by classification 10; 0 codes" in log
    assert "excludes1 5 (0 of them in 0 train notes), sex 0 (0" in log
    assert "age 25 (0" in log
