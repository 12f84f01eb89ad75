"""Folders from which the workflow is run, as from a checkout, without the checkout's results."""

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
