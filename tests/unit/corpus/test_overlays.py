"""The experiments' configurations fit the schema and hold what their corpus needs."""

import copy
from pathlib import Path

import pytest
import yaml
from longtail_icd.common.config import check_config

ROOT = Path(__file__).parents[3]


def _merge(base, overlay):
    """Overlay as Snakemake does: nested keys add up, lists and values replace."""
    merged = copy.deepcopy(base)
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _load(name):
    return yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["codiesp", "mimic3_full"])
def test_an_overlay_is_valid_once_its_folders_exist(tmp_path, name):
    config = _merge(_load("config"), _load(name))
    assert config["corpus"]["name"] == name
    assert config["corpus"]["split"]["method"] == "official"
    config["corpus"]["path"] = str(tmp_path)
    if config["corpus"]["split"]["ids"] is not None:
        config["corpus"]["split"]["ids"] = str(tmp_path)
    check_config(config, ROOT / "workflow" / "schemas" / "config.schema.yaml")


def test_mimic3_full_is_the_papers_setting():
    config = _merge(_load("config"), _load("mimic3_full"))
    assert config["tiers"] == {"head": 1000, "medium": 100, "tail": 10}
    assert config["recipes"]["paper"]["allocation"] == {
        "method": "paper",
        "alpha": 0.5,
        "cap": 50,
        "offset": 5,
        "zero_shot": 50,
    }
    writer = config["writers"][config["recipes"]["paper"]["writer"]]
    assert writer["base_url"].startswith("http://127.0.0.1")
