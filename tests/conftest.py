"""What holds for every test, and checkouts of the project for those that run the workflow."""

import fcntl
import shutil
from pathlib import Path

import pytest
from checkouts import Checkout, copy_checkout
from hypothesis import settings

# How long an example takes is the machine's affair: a loaded one must not fail a law.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Checkout:
    """Return a checkout in which the whole workflow has run once. Tests must not change it.

    All processes that run tests share one: the first that needs it makes it, the others wait.
    """
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
