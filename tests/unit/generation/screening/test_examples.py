"""Every check on hand-written notes: thresholds set on one half, tested on the other."""

import pytest
from screening_examples import (
    FORM,
    MEANING,
    SEEN,
    THRESHOLDS,
    cases,
    half,
    pairs,
    screen,
    similarity,
    train_of,
)

NEAR_DUPLICATE = 0.5
# The reasons that a check gives, where they are not its name alone.
REASONS = {
    "refused": {"refused", "declined"},
    "artefacts": {"artefacts", "preamble"},
    "code_numerals": {"code_numerals", "code_number"},
    "cut": {"cut", "truncated"},
}
SETTINGS = {"refused": ["declined"], "empty": []}


def precision_and_recall(hits):
    """Return both of (is it faulty, is it called faulty) pairs."""
    right = sum(faulty and called for faulty, called in hits)
    return right / max(sum(called for _, called in hits), 1), right / sum(f for f, _ in hits)


@pytest.mark.parametrize("odd", [False, True], ids=["set on", "tested on"])
@pytest.mark.parametrize("check", [*FORM, *MEANING, *SEEN])
def test_check_finds_its_fault_and_lets_clean_notes_through(check, odd):
    examples = cases(check)
    assert sum(faulty for faulty, *_ in examples) >= 10
    assert sum(not faulty for faulty, *_ in examples) >= 10
    settings = {name: THRESHOLDS[name] for name in SETTINGS.get(check, [check])}
    checked = screen(settings, train_of(check))
    wanted = REASONS.get(check, {check})
    hits = [
        (faulty, not wanted.isdisjoint(checked.assess(request, draft).reasons))
        for faulty, request, draft in half(examples, odd)
    ]
    assert min(precision_and_recall(hits)) >= 0.9


@pytest.mark.parametrize("odd", [False, True], ids=["set on", "tested on"])
def test_near_duplicates_are_told_from_notes_about_the_same(odd):
    examples = half(pairs(), odd)
    hits = [(same, similarity(one, other) >= NEAR_DUPLICATE) for same, one, other in examples]
    assert min(precision_and_recall(hits)) >= 0.9


def test_clean_notes_of_one_check_of_form_pass_the_others():
    checked = screen({name: THRESHOLDS[name] for name in ("declined", "artefacts")})
    clean = [case for check in FORM for case in cases(check) if not case[0]]
    for _, request, draft in clean:
        assert not checked.assess(request, draft).reasons
