#!/usr/bin/env python3
"""Stands in for Slurm's clients in tests: notes what is asked for and says that it is done.

Linked under the clients' names in a folder that is first on PATH. SLURM_DOUBLE is a folder:
`outputs.json` holds the output files of each job by the comment that it is submitted with, made as
soon as it is submitted; sbatch writes the arguments of job N to `N.json`.
"""

import argparse
import itertools
import json
import os
import sys
from pathlib import Path

STATE = Path(os.environ["SLURM_DOUBLE"])


def sbatch(arguments: list[str]) -> str:
    """Note the arguments under the next free number and make the job's outputs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--comment")
    comment = parser.parse_known_args(arguments)[0].comment
    for output in json.loads((STATE / "outputs.json").read_text())[comment]:
        path = Path(output)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for number in itertools.count(1):
        try:
            with (STATE / f"{number}.json").open("x") as file:
                json.dump(arguments, file)
            return str(number)
        except FileExistsError:
            continue  # two threads submit


def states(_: list[str]) -> str:
    """Say of every job that it has ended well."""
    jobs = (path.stem for path in STATE.glob("*.json") if path.stem.isdigit())
    return "\n".join(f"{job}|COMPLETED" for job in jobs)


CLIENTS = {
    "sbatch": sbatch,
    "sacct": states,
    "squeue": states,
    "sacctmgr": lambda _: "default",
    "scontrol": lambda _: "MinJobAge = 300 sec\nMaxArraySize = 1001",
    "sinfo": lambda _: "cpu*",
    "scancel": lambda _: "",
}

if __name__ == "__main__":
    print(CLIENTS[Path(sys.argv[0]).name](sys.argv[1:]))
