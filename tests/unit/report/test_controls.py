"""Controls are known by their options, stand beside the question, and are missed when absent."""

import pytest
from longtail_icd.report.controls import controls_of, main_comparison, not_run, role_of
from report_tables import settings

KINDS = {
    "description": ({"recipes": ["description"]}, "description notes"),
    "permuted": ({"permute_anchors": True}, "permuted labels"),
    "repeated": ({"oversample": True}, "oversampled real notes"),
    "longer": ({"recipes": [], "steps_of": "extended"}, "equal steps"),
    "half": ({"dose": 0.5}, "dose–response"),
}


def configured(*names):
    """The sample's settings with train sets of these kinds, none of them compared."""
    found = settings()
    found["recipes"]["description"] = {"writer": "offline", "prompt": {"template": "description"}}
    for name in names:
        found["train_sets"][name] = found["train_sets"]["extended"] | KINDS[name][0]
    return found


@pytest.mark.parametrize("name", KINDS)
def test_each_control_is_known_by_its_option(name):
    assert controls_of(name, configured(name)) == [KINDS[name][1]]
    assert controls_of("extended", configured(name)) == []


def test_the_role_of_a_comparison_names_the_controls_of_both_sides():
    found = configured("longer", "permuted")
    assert role_of({"baseline": "original", "against": "extended"}, found) == "question"
    pair = {"baseline": "longer", "against": "permuted"}
    assert role_of(pair, found) == "permuted labels, equal steps"


def test_the_page_answers_the_first_comparison_though_it_be_with_a_control():
    """Against as many steps is the question of a study that is to be believed."""
    found = configured("longer")
    control = {"baseline": "longer", "against": "extended"}
    found["comparisons"].insert(0, control)
    assert main_comparison(found) == control
    found["comparisons"] = []
    assert main_comparison(found) is None


def test_a_control_that_is_trained_but_not_compared_is_told_from_one_that_is_missing():
    found = dict(not_run(configured("half"), ["paper"]))
    assert found["dose–response"] == "trained (half), but in no comparison"
    assert "steps_of" in found["equal steps"]


def test_a_complete_run_has_nothing_missing():
    found = configured(*KINDS)
    found["comparisons"] += [{"baseline": "original", "against": name} for name in KINDS]
    found["seeds"] = [1, 2]
    found["writers"]["llm"] = {"backend": "openai"}
    assert not_run(found, ["paper"]) == []


def test_models_seeds_recipes_and_writers_that_are_left_out_are_named():
    found = configured()
    del found["models"]["gki_icd"]
    names = [name for name, _ in not_run(found, ["paper", "planned"])]
    assert names[-4:] == ["GKI-ICD", "more seeds", "recipe planned", "a language model"]
