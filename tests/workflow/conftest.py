"""A checkout of its own in which the tests of the workflow run Snakemake."""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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
# The last rule of each stage that has to exist before the whole workflow can run.
STAGE_ENDS = ["simulate_hospital", "split_corpus", "collect_notes", "compare_runs", "write_report"]


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


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Checkout:
    """Return a checkout in which the whole workflow has run once. Tests must not change it.

    All processes that run tests share one: the first that needs it makes it, the others wait.
    """
    missing = [rule for rule in STAGE_ENDS if not (ROOT / f"workflow/scripts/{rule}.py").is_file()]
    if missing:
        pytest.skip(f"no whole run yet: rules {', '.join(missing)} do not exist")
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "finished"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = copy_checkout(folder.with_name("unfinished"))
            making.snakemake()
            making.folder.rename(folder)
    return Checkout(folder)


@pytest.fixture
def changeable(finished: Checkout, tmp_path: Path) -> Checkout:
    """Return a copy of the finished checkout, times and Snakemake's metadata kept."""
    folder = tmp_path / "checkout"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Checkout(folder)


@pytest.fixture
def unrun(tmp_path: Path) -> Checkout:
    """Return a checkout without results."""
    return copy_checkout(tmp_path / "checkout")
