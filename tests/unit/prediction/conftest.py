"""A trained model that all tests of this folder read."""

import pytest
from coded_notes import make_trained_model


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    return make_trained_model(tmp_path_factory.mktemp("trained"))
