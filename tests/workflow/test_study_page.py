"""docs/studies/codiesp.md speaks of the study as its configuration has it."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "studies" / "codiesp.md").read_text()
STUDY, MORE = (
    yaml.safe_load((ROOT / "config" / f"codiesp_{name}.yaml").read_text())
    for name in ("study", "more")
)
DEMO = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
CLAIMED = ["original", "original_equal_steps", "permuted", "repeated", "description"]


def section(title: str) -> str:
    return PAGE.split(title)[1].split("\n## ")[0]


def test_the_arms_of_the_page_are_those_of_the_configuration():
    arms = re.findall(r"^\| `(\w+)` \|", section("## 3. Arms"), re.M)
    assert sorted(arms) == sorted({*DEMO["train_sets"], *STUDY["train_sets"], *MORE["train_sets"]})


@pytest.mark.parametrize("baseline", CLAIMED)
def test_every_claim_has_its_comparison(baseline):
    assert f"`{baseline}`" in section("## 5. Endpoints and claims")
    assert {"baseline": baseline, "against": "planned"} in STUDY["comparisons"]


def test_arms_differ_in_nothing_that_they_are_not_compared_for():
    """As many steps, passes and, where notes are as long as each other, notes of each code."""
    arms = {**STUDY["train_sets"], **MORE["train_sets"]}
    for name in sorted({*arms} - {"original"}):  # which every claim is held against as well
        arm = arms[name]
        assert arm.get("steps_of") == "planned" or arm["recipes"] == ["planned"], name
        assert arm.get("real_passes") == (6 if arm["recipes"] else None), name
    recipes = STUDY["recipes"] | MORE["recipes"]
    for one, other in (("planned", "description"), ("paper", "grafted")):
        assert recipes[one]["allocation"] == recipes[other]["allocation"]


def test_every_configuration_that_the_page_names_is_there():
    names = set(re.findall(r"config/\w+\.yaml", PAGE))
    assert len(names) == 7 and all((ROOT / name).is_file() for name in names)
