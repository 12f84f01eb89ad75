"""docs/paper.md says of every configuration key whose choice it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
PAGE = (ROOT / "docs" / "paper.md").read_text()


def keys(block: dict, path: str = "") -> Iterator[str]:
    for key, value in block.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from keys(value, here)
        else:
            yield here


@pytest.mark.parametrize("key", sorted(keys(CONFIG)))
def test_every_key_is_on_the_page(key):
    """By its last part: rows of one block write the rest once."""
    last = key.rpartition(".")[2]
    assert f".{last}`" in PAGE or f"`{last}`" in PAGE, f"docs/paper.md lacks {key}"
