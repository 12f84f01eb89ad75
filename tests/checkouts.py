"""A checkout of its own in which the tests of the workflow run Snakemake."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = [
    "Snakefile",
    "workflow",
    "config",
    "profiles",
    "slurm",
    "envs",
    "resources",
    "tests/config",
]


class Checkout:
    """A copy of the project's files with the small configuration of the tests."""

    def __init__(self, folder: Path):
        self.folder = folder

    def snakemake(self, *arguments: str, check: bool = True) -> str:
        """Run Snakemake here and return what it printed."""
        command = [
            str(Path(sys.executable).parent / "snakemake"),
            *("--configfile", "tests/config/tiny.yaml", "--cores", "2"),
            *arguments,
        ]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def pending(self, *arguments: str) -> set[str]:
        """Return the rules that a dry run would run."""
        lines = self.snakemake("--dry-run", *arguments).splitlines()
        return {
            line.split()[1].rstrip(":")
            for line in lines
            if line.startswith(("rule ", "localrule "))
        }

    def result(self, path: str) -> Path:
        """Return a file of the results folder."""
        return self.folder / "results" / "tiny" / path


def copy_checkout(folder: Path) -> Checkout:
    """Copy the project's files to ``folder``, without results."""
    folder.mkdir(exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "codiesp", "splits", "encoders")
            shutil.copytree(source, folder / part, ignore=ignore)
        else:
            shutil.copy2(source, folder / part)
    return Checkout(folder)
