"""Small hand-made inputs of the generation stage, and its rules run on them without Snakemake."""

import json
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import polars as pl
from longtail_icd.common.tables import TABLES, write_table
from longtail_icd.generation.requests import Request

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"
SECRET_TEXT = "Mrs Quillfeather was seen for a ruptured zeppelin"
PAPER = {"min_words": 30, "max_words": 2000, "max_source_overlap": 0.5}

# (code, kind, title, parent, synonyms)
NODES = [
    ("390-459", "diagnosis", "Diseases of the circulatory system", None, []),
    ("428", "diagnosis", "Heart failure", "390-459", []),
    ("428.0", "diagnosis", "Congestive heart failure, unspecified", "428", ["chf", "weak heart"]),
    ("401", "diagnosis", "Essential hypertension", "390-459", []),
    ("401.9", "diagnosis", "Unspecified essential hypertension", "401", ["htn"]),
    ("V45", "diagnosis", "Other postprocedural states", None, []),
    ("V45.81", "diagnosis", "Aortocoronary bypass status", "V45", ["s/p cabg"]),
    ("38", "procedure", "Operations on vessels", None, []),
    ("38.93", "procedure", "Venous catheterization", "38", ["central line"]),
]
# (anchor, its companions, the note whose code set was cloned)
SETS = [
    ("428.0", ["401.9"], "1"),
    ("428.0", ["38.93", "401.9"], "2"),
    ("V45.81", [], None),
    ("38.93", ["401.9", "428.0", "V45.81"], "2"),
]


def table(name: str, rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=TABLES[name].columns)


def taxonomy() -> pl.DataFrame:
    place = {"version": "icd9cm", "title_source": "official", "is_leaf": True}
    nowhere = {"category": None, "block": None, "chapter": None}
    return table(
        "terminology/codes",
        [
            {**place, **nowhere, "code": code, "kind": kind, "title": title, "parent": parent}
            for code, kind, title, parent, _ in NODES
        ],
    )


def synonyms() -> pl.DataFrame:
    return table(
        "terminology/synonyms",
        [
            {"version": "icd9cm", "code": code, "synonym": synonym, "source": "short_title"}
            for code, *_, others in NODES
            for synonym in others
        ],
    )


def tiers() -> pl.DataFrame:
    return table(
        "plan/tiers",
        [
            {"version": "icd9cm", "code": code, "kind": kind, "n_train": 1, "tier": "few_shot"}
            for code, kind, *_ in NODES
            if "." in code
        ],
    ).sort("code")


def code_sets(sets=SETS) -> pl.DataFrame:
    return table(
        "plan/code_sets",
        [
            {
                "request_id": f"request{number}",
                "anchor": anchor,
                "codes": sorted([anchor, *companions]),
                "strategy": "clone" if note else "alone",
                "source_note_id": note,
                "reason": "",
                "reserve": False,
            }
            for number, (anchor, companions, note) in enumerate(sets)
        ],
    )


def exemplars(sets=SETS) -> pl.DataFrame:
    return table(
        "plan/exemplars",
        [
            {
                "request_id": f"request{number}",
                "exemplar_note_ids": [note] if note else [],
                "excerpts": [],
                "skeleton": [],
            }
            for number, (_, _, note) in enumerate(sets)
        ],
    )


def notes() -> pl.DataFrame:
    texts = {"1": f"{SECRET_TEXT} and went home.", "2": f"{SECRET_TEXT} and stayed.", "3": "Else."}
    return pl.DataFrame(
        [{"note_id": note, "text": text} for note, text in texts.items()]
    ).with_columns(
        pl.lit(None).cast(dtype).alias(column)
        for column, dtype in TABLES["corpus/notes"].columns.items()
        if column not in ("note_id", "text")
    )


def many_sets(count: int) -> list[tuple[str, list[str], str | None]]:
    """Return that many code sets, all of them different requests."""
    return [SETS[number % len(SETS)] for number in range(count)]


def request(request_id: str = "r", **changes) -> Request:
    """Return a request; what a test does not care about is filled in."""
    user = {"role": "user", "content": f"Write {request_id}."}
    fields = {
        "anchor": "428.0",
        "codes": ["428.0"],
        "chats": [[user]],
        "follow_up": None,
        "before": "",
        "after": "",
        "knowledge": [],
        "seed": 1,
        "data_class": "public",
        "reserve": False,
    }
    return Request(request_id, **fields | changes)


def prompts_table(requests: list[Request]) -> pl.DataFrame:
    """Return the table `generation/prompts` of the requests."""
    rows = [
        vars(one) | {name: json.dumps(getattr(one, name)) for name in ("chats", "knowledge")}
        for one in requests
    ]
    return table("generation/prompts", rows)


class Stage:
    """A folder with the stage's inputs; rules run there in processes of their own."""

    def __init__(self, folder: Path, writer: dict, *, shards: int = 1, sets=SETS):
        self.folder, self.writer, self.shards = folder, writer, shards
        for name, frame in {
            "plan/tiers": tiers(),
            "plan/code_sets": code_sets(sets),
            "plan/exemplars": exemplars(sets),
            "terminology/codes": taxonomy(),
            "terminology/synonyms": synonyms(),
            "corpus/notes": notes(),
        }.items():
            write_table(frame, folder / f"{name}.parquet", name)

    def path(self, name: str) -> str:
        return str(self.folder / f"{name}.parquet")

    def job(self, rule: str, shard: int = 0) -> dict:
        """Return what Snakemake would hand to the rule's script."""
        files = {
            "code_sets": self.path("plan/code_sets"),
            "exemplars": self.path("plan/exemplars"),
            "tiers": self.path("plan/tiers"),
            "notes": self.path("corpus/notes"),
            "labels": self.path("corpus/labels"),
            "facts": str(self.folder / "facts"),
            "triggers": str(ROOT / "resources/screening/context_rules.yaml"),
            "equivalents": str(ROOT / "resources/screening/equivalents.yaml"),
            "codes": self.path("terminology/codes"),
            "synonyms": self.path("terminology/synonyms"),
            "template": str(ROOT / "resources/prompts/paper.j2"),
            "prose": str(ROOT / "resources/offline_prose.yaml"),
            "prompts": self.path(f"prompts/{shard:03d}"),
            "responses": self.path(f"responses/{shard:03d}"),
        }
        screened = {name: self.path(f"screened/{shard:03d}/{name}") for name in ("notes", "labels")}
        collected = {name: self.path(f"all/{name}") for name in ("notes", "labels")}
        every = range(self.shards)
        inputs, outputs = files, files
        if rule == "screen_notes":
            outputs = screened
        if rule == "collect_notes":
            inputs = {
                "notes": [self.path(f"screened/{one:03d}/notes") for one in every],
                "labels": [self.path(f"screened/{one:03d}/labels") for one in every],
                "prompts": [self.path(f"prompts/{one:03d}") for one in every],
                "responses": [self.path(f"responses/{one:03d}") for one in every],
                "template": files["template"],
            }
            outputs = {**collected, "manifest": str(self.folder / "all/manifest.json")}
        return {
            "rule": rule,
            "input": inputs,
            "output": outputs,
            "log": [str(self.folder / f"logs/{rule}/{shard:03d}.log")],
            "wildcards": {"shard": f"{shard:03d}", "recipe": "paper"},
            "params": {
                "shards": self.shards,
                "prompt": {"template": "paper", "seed": 1},
                "journal": str(self.folder / "journal"),
                "screening": PAPER,
                "writer": "one",
            },
            "config": {
                "recipes": {"paper": {"writer": "one"}},
                "writers": {"one": self.writer},
            },
        }

    def start(self, *rules: str, shard: int = 0, **environment: str) -> subprocess.Popen:
        """Start the rules, one after another in one process."""
        jobs = [self.job(rule, shard) for rule in rules]
        return subprocess.Popen(
            [sys.executable, str(Path(__file__)), json.dumps(jobs)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": "/usr/bin", "PYTHONPATH": str(SCRIPTS), **environment},
        )

    def run(self, *rules: str, shard: int = 0, **environment: str) -> tuple[int, str]:
        """Return exit status and all that the rules printed or logged."""
        process = self.start(*rules, shard=shard, **environment)
        printed, _ = process.communicate(timeout=60)
        logs = [Path(self.job(rule, shard)["log"][0]) for rule in rules]
        return process.returncode, printed + "".join(
            log.read_text() for log in logs if log.is_file()
        )

    def read(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.path(name))


class _Files(dict):
    """Named inputs or outputs as Snakemake offers them: as attributes and by ``get``."""

    __getattr__ = dict.__getitem__


def run_job(described: dict) -> None:
    config = described.pop("config")
    rule, log = described.pop("rule"), described.pop("log")
    parts = {key: _Files(value) for key, value in described.items()}
    job = SimpleNamespace(rule=rule, log=log, config=config, **parts)
    runpy.run_path(str(SCRIPTS / f"{rule}.py"), {"snakemake": job}, "__main__")


if __name__ == "__main__":
    for one in json.loads(sys.argv[1]):
        run_job(one)
