"""docs/studies/codiesp.md speaks of the study as its configuration has it."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "studies" / "codiesp.md").read_text()
STUDY = yaml.safe_load((ROOT / "config" / "codiesp_study.yaml").read_text())
DEMO = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
CLAIMED = ["original", "original_equal_steps", "permuted", "repeated", "description"]


def section(title: str) -> str:
    return PAGE.split(title)[1].split("\n## ")[0]


def test_the_arms_of_the_page_are_those_of_the_configuration():
    arms = re.findall(r"^\| `(\w+)` \|", section("## 3. Arms"), re.M)
    assert sorted(arms) == sorted({*DEMO["train_sets"], *STUDY["train_sets"]})


@pytest.mark.parametrize("baseline", CLAIMED)
def test_every_claim_has_its_comparison(baseline):
    assert f"`{baseline}`" in section("## 5. Endpoints and claims")
    assert {"baseline": baseline, "against": "planned"} in STUDY["comparisons"]


def test_every_recipe_has_as_many_notes():
    """Else arms would differ in what they are not compared for."""
    used = {recipe for arm in STUDY["train_sets"].values() for recipe in arm["recipes"]}
    allocations = [STUDY["recipes"][recipe]["allocation"] for recipe in used]
    assert len(used) == 4 and all(one == allocations[0] for one in allocations)


def test_every_configuration_that_the_page_names_is_there():
    names = set(re.findall(r"config/\w+\.yaml", PAGE))
    assert len(names) == 4 and all((ROOT / name).is_file() for name in names)
