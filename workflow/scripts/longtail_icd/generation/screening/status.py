"""Whether a note says of a condition that the patient has it now.

Rules after NegEx (Chapman et al. 2001) and ConText (Harkema et al. 2009): a trigger acts on the
words behind or before it, up to a number of words, the clause's end or a word that ends its
scope. The lists are in resources/screening/context_rules.yaml.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from typing import Any

from longtail_icd.generation.evidence import Span
from longtail_icd.generation.screening.phrases import PhraseIndex
from longtail_icd.generation.screening.word_lists import load_lists
from longtail_icd.generation.screening.words import Words, normalised_words, phrase_of

REACH_FORWARD, REACH_BACKWARD = 8, 5  # words


class Status(IntFlag):
    """What triggers say of a word; 0: the patient has it now."""

    NEGATED = 1
    FAMILY = 2
    HISTORICAL = 4
    HYPOTHETICAL = 8
    HISTORY = 16  # "history of": past for what passes (pneumonia), present for the rest (COPD)


@dataclass(frozen=True)
class _Action:
    status: Status
    forward: bool


class StatusRules:
    """The triggers, ready to be looked up.

    Args:
        lists: per status its triggers ``before`` and ``after`` the words they act on; ``ignored``
            phrases, ``ends`` of scope, ``relatives``, who act as triggers of family unless one of
            the words in ``informs`` follows, and the words of conditions that ``pass``.
    """

    def __init__(self, lists: dict[str, Any]):
        actions: dict[str, list[_Action]] = {phrase_of(one): [] for one in lists["ignored"]}
        for relative in lists["relatives"]:
            actions.update({phrase_of(f"{relative} {verb}"): [] for verb in lists["informs"]})
            actions[phrase_of(relative)] = [_Action(Status.FAMILY, True)]
        for status in Status:
            sides = lists[status.name.lower()]
            for forward, side in ((True, "before"), (False, "after")):
                for trigger in sides.get(side, []):
                    actions.setdefault(phrase_of(trigger), []).append(_Action(status, forward))
        ends = [phrase_of(end) for end in lists["ends"]]
        self._index = PhraseIndex([*actions, *(end for end in ends if end not in actions)])
        self._actions = [*actions.values()]
        self._passing = set(normalised_words(" ".join(lists["pass"])))

    def flags(self, words: Words) -> list[int]:
        """Return the :class:`Status` of every word."""
        found = self._index.find(words)
        ends = {first for first, _, number in found if number >= len(self._actions)}
        bounds = sorted({0, *words.clauses, *ends})
        flags = [0] * len(words.words)
        for first, last, number in found:
            for action in self._actions[number] if number < len(self._actions) else ():
                if action.forward:
                    start = last
                    stop = min(last + REACH_FORWARD, bounds[bisect_left(bounds, last)])
                else:
                    start = max(first - REACH_BACKWARD, bounds[bisect_right(bounds, first) - 1])
                    stop = first
                for word in range(start, stop):
                    flags[word] |= action.status
        return flags

    def of(self, place: Span, flags: list[int], words: Words) -> Status:
        """Return what the note says of the condition that stands at words [first, last)."""
        status = Status(flags[place[0]])
        if status & Status.HISTORY:
            status ^= Status.HISTORY
            if not self._passing.isdisjoint(words.words[place[0] : place[1]]):
                status |= Status.HISTORICAL
        return status


def verdict_of(statuses: Iterable[Status], *, past_counts: bool) -> str:
    """Return what all mentions of a code together say of it.

    One mention that the patient has it now is enough: ``stated``. Else the first of ``negated``,
    ``family`` and ``historical`` that any mention says, and ``not_found`` without any.

    Args:
        statuses: of each mention.
        past_counts: the code itself is of the past, such as a personal history or a status.
    """
    seen = list(statuses)
    if past_counts:
        seen = [status & ~Status.HISTORICAL for status in seen]
    if any(status == 0 for status in seen):
        return "stated"
    for status in (Status.NEGATED, Status.FAMILY, Status.HISTORICAL):
        if any(one & status for one in seen):
            return status.name.lower()
    return "not_found"


def load_rules(path: str | Path) -> StatusRules:
    """Read the lists of triggers.

    Raises:
        UserError: the file is missing, or a list is.
    """
    return load_lists(path, StatusRules)
