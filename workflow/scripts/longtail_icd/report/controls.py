"""Which comparisons are controls, and what a run has left out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from longtail_icd.report.glossary import model_name

QUESTION = "question"


@dataclass(frozen=True)
class Control:
    """A way to ask whether a gain comes from what the notes say.

    Attributes:
        name: what the page calls it.
        question: what it answers.
        example: a train set of this kind, as the configuration writes it.
        holds: says of a train set's options and the prompt templates of its recipes whether it
            is one.
    """

    name: str
    question: str
    example: str
    holds: Callable[[dict[str, Any], set[str]], bool]


CONTROLS = (
    Control(
        "description notes",
        "Would notes that only state the codes' titles do as well?",
        "{recipes: [description]}",
        lambda options, templates: "description" in templates,
    ),
    Control(
        "permuted labels",
        "Does it matter that a note is about the code that it is labelled with?",
        "{recipes: [paper], permute_anchors: true}",
        lambda options, templates: options["permute_anchors"],
    ),
    Control(
        "oversampled real notes",
        "Would it do to show the real notes of rare codes more often?",
        "{recipes: [paper], oversample: true}",
        lambda options, templates: options["oversample"],
    ),
    Control(
        "equal steps",
        "Is the gain that of the longer training?",
        "{recipes: [], steps_of: extended}",
        lambda options, templates: options["steps_of"] is not None,
    ),
    Control(
        "dose–response",
        "Do more notes help more?",
        "{recipes: [paper], dose: 0.5}",
        lambda options, templates: options["dose"] < 1,
    ),
)


def controls_of(train_set: str, settings: dict[str, Any]) -> list[str]:
    """Return which controls a train set is, by name; usually none or one."""
    options = settings["train_sets"][train_set]
    templates = {settings["recipes"][one]["prompt"]["template"] for one in options["recipes"]}
    return [control.name for control in CONTROLS if control.holds(options, templates)]


def role_of(pair: dict[str, str], settings: dict[str, Any]) -> str:
    """Return what a comparison is for: the controls on either side, or the plain question."""
    found = [*controls_of(pair["against"], settings), *controls_of(pair["baseline"], settings)]
    return ", ".join(dict.fromkeys(found)) or QUESTION


def missing_controls(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the controls that no comparison is, each with what is therefore not known."""
    compared = {pair[side] for pair in settings["comparisons"] for side in ("baseline", "against")}
    missing = []
    for control in CONTROLS:
        sets = [one for one in settings["train_sets"] if control.name in controls_of(one, settings)]
        if not sets:
            what = f"{control.question} A train set of this kind: {control.example}"
            missing.append((control.name, what))
        elif not compared & set(sets):
            missing.append((control.name, f"trained ({', '.join(sets)}), but in no comparison"))
    return missing


def not_run(settings: dict[str, Any], planned: list[str]) -> list[tuple[str, str]]:
    """Return what this run has not done, each with what is therefore not known.

    Args:
        settings: the blocks of the configuration that the run used.
        planned: names of the recipes that have a plan.
    """
    missing = missing_controls(settings)
    for model in sorted({"plm_icd", "gki_icd"} - set(settings["models"])):
        missing.append((model_name(model), "not among the configuration's models"))
    if len(settings["seeds"]) == 1:
        missing.append(("more seeds", "nothing here says what chance in training does"))
    for recipe in sorted(set(planned) - set(settings["recipes"])):
        missing.append((f"recipe {recipe}", "planned, but no train set uses its notes"))
    backends = {writer["backend"] for writer in settings["writers"].values()}
    if backends == {"offline"}:
        missing.append(("a language model", "the built-in writer wrote all synthetic notes"))
    return missing


def main_comparison(settings: dict[str, Any]) -> dict[str, str] | None:
    """Return the comparison that the page answers first: the configuration's first."""
    return next(iter(settings["comparisons"]), None)
