"""The experiments' configurations fit the schema and hold what their corpus needs."""

import copy
from pathlib import Path

import pytest
import yaml
from longtail_icd.common.config import check_config, drop_unset

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


# Overlays in the order in which Snakemake lays them over the demo.
OVERLAYS = {
    "codiesp": ["codiesp"],
    "table": ["table"],
    "mimic3_full": ["mimic3_full"],
    **{
        name: ["mimic3_full", name]
        for name in ("mimic3_50", "mimic3_clean", "mimic4_icd9", "mimic4_icd10")
    },
    "codiesp_study": ["codiesp_study"],
    **{
        f"codiesp_{name}": ["codiesp_study", f"codiesp_{name}"]
        for name in ("larger", "llm", "more", "scratch", "siblings")
    },
    "codiesp_siblings_four": ["codiesp_study", "codiesp_siblings", "codiesp_siblings_four"],
}
# Adds arms to the table of another.
SAME_TABLE = {"codiesp_more": "codiesp_study", "codiesp_siblings_four": "codiesp_siblings"}
# text, joining, rules, edition: what makes the documents and labels those of the literature.
RECIPES = {
    "mimic3_full": ("raw", "newline", "mullenbach", None),
    "mimic3_50": ("raw", "newline", "mullenbach_50", None),
    "mimic3_clean": ("edin", "space", "edin", None),
    "mimic4_icd9": ("edin", "space", "edin", "icd9"),
    "mimic4_icd10": ("edin", "space", "edin", "icd10"),
}


def _configured(name):
    config = _load("config")
    for overlay in OVERLAYS[name]:
        config = _merge(config, _load(overlay))
    return config


def test_every_corpus_overlay_is_tested():
    others = {"config", "demo_study", "demo_disjoint"}
    found = {path.stem for path in (ROOT / "config").glob("*.yaml")} - others
    assert {name for name in found if not name.startswith("simulated")} == set(OVERLAYS)


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_valid_once_its_folders_exist(tmp_path, name):
    config = _configured(name)
    corpus = config["corpus"]
    assert corpus["name"] == SAME_TABLE.get(name, name)
    assert corpus["split"]["method"] == ("patient" if name == "table" else "official")
    corpus["path"] = str(tmp_path)
    if corpus["split"]["ids"] is not None:
        corpus["split"]["ids"] = str(tmp_path)
    if corpus["code_list"] is not None:
        corpus["code_list"] = str(tmp_path)
    (tmp_path / "background" / "text_files_en").mkdir(parents=True)
    drop_unset(config)
    check_config(config, ROOT / "workflow" / "schemas" / "config.schema.yaml")


def test_four_notes_for_each_unseen_code_are_all_that_differs():
    """A recipe of another name inherits nothing: it has to say everything again."""
    recipes = _configured("codiesp_siblings_four")["recipes"]
    planned, four = recipes["planned"], recipes["planned_four"]
    assert four["allocation"] == planned["allocation"] | {"zero_shot": 4}
    planned["screening"] = {  # what is off may be left out
        check: value
        for check, value in planned["screening"].items()
        if value is not None and value is not False
    }
    for block in sorted({*planned, *four} - {"allocation"}):
        assert four[block] == planned[block], block


@pytest.mark.parametrize("name", RECIPES)
def test_an_overlay_names_the_recipes_of_its_source(name):
    corpus = _configured(name)["corpus"]
    found = (corpus["text"], corpus["joining"]["separator"], corpus["labels"]["rules"])
    assert (*found, corpus["edition"]) == RECIPES[name]


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
