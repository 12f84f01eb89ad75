"""A checkout of its own in which the tests of the workflow run Snakemake."""

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that share a finished run in one process, and start with these: it is long."""
    shared = [item for item in items if "finished" in getattr(item, "fixturenames", ())]
    for item in shared:
        item.add_marker(pytest.mark.xdist_group("finished"))
    items.sort(key=lambda item: item not in shared)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a checkout in which the whole workflow has run once. Tests must not change it."""
    missing = [rule for rule in STAGE_ENDS if not (ROOT / f"workflow/scripts/{rule}.py").is_file()]
    if missing:
        pytest.skip(f"no whole run yet: rules {', '.join(missing)} do not exist")
    checkout = copy_checkout(tmp_path_factory.mktemp("finished"))
    checkout.snakemake()
    return checkout


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
