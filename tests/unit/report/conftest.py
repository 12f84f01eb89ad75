"""A finished run that each test writes for itself."""

import pytest
from report_run import write_run


@pytest.fixture
def sample_run(tmp_path):
    """Return a function that writes a finished run and returns its paths."""

    def write(**options):
        return write_run(tmp_path / "run", **options)

    return write
