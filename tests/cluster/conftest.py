"""Folders from which the workflow is run, as from a checkout, without the checkout's results."""

import fcntl

import pytest
from rule_files import ROOT

PARTS = ["Snakefile", "workflow", "config", "profiles", "slurm", "envs", "resources", "tests"]


@pytest.fixture
def checkout(tmp_path):
    """Return a folder with links to the project's files."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for part in PARTS:
        (folder / part).symlink_to(ROOT / part)
    return folder


@pytest.fixture(autouse=True)
def alone(request, tmp_path_factory, worker_id):
    """Let tests on a real Slurm run one at a time: they share its node, and one drains it."""
    if request.node.get_closest_marker("slurm") is None:
        yield
        return
    own = tmp_path_factory.getbasetemp()
    folder = own if worker_id == "master" else own.parent
    with (folder / "slurm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
