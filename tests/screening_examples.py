"""The hand-written notes: faulty and clean ones per check, and the context they are read in.

Notes with an even number set the thresholds, those with an odd number test them.
"""

from itertools import chain
from pathlib import Path

import polars as pl
import yaml
from longtail_icd.common.tables import TABLES
from longtail_icd.generation.requests import Draft, Request
from longtail_icd.generation.screening.context import ScreenContext
from longtail_icd.generation.screening.duplicates import signature
from longtail_icd.generation.screening.facts import learn_facts
from longtail_icd.generation.screening.fidelity import Fidelity
from longtail_icd.generation.screening.loose import load_equivalents
from longtail_icd.generation.screening.screen import cleaned, make_screen
from longtail_icd.generation.screening.status import load_rules
from longtail_icd.generation.screening.terms import Terms

TESTS = Path(__file__).parent
FOLDER = TESTS / "unit" / "generation" / "screening" / "examples"
RESOURCES = TESTS.parent / "resources" / "screening"
# Set on the notes with an even number; docs/screening.md recommends them.
THRESHOLDS = {
    "declined": 0,
    "artefacts": 0,
    "placeholders": 0,
    "code_numerals": 0,
    "cut": 0,
    "verbatim": 0.3,
    "missing_code": 0.2,
    "extra_code": 0,
    "memorised": 0.3,
    "length": 3.0,
    "style": 3.0,
}
OFF = {"min_words": 1, "max_words": 5000, "max_source_overlap": 1.0}


def load(name):
    # Every value as it is written: 486 and 250.00 are codes and no numbers.
    return yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)


TITLES = {code: (title, others) for code, title, others in load("terms")}


def kind_of(code):
    return "procedure" if code.partition(".")[0] in ("38", "39") else "diagnosis"


def _frame(name, rows):
    columns = TABLES[name].columns
    return pl.DataFrame([{**dict.fromkeys(columns), **row} for row in rows], schema=columns)


def terms():
    base = [{"version": "icd9cm", "code": code, "kind": kind_of(code)} for code in TITLES]
    return Terms(
        _frame("plan/tiers", [{**one, "n_train": 9 - at % 9} for at, one in enumerate(base)]),
        _frame(
            "terminology/codes",
            [
                {**one, "title": TITLES[one["code"]][0], "category": one["code"].partition(".")[0]}
                for one in base
            ],
        ),
        _frame(
            "terminology/synonyms",
            [
                {"version": "icd9cm", "code": code, "synonym": synonym}
                for code, (_, synonyms) in TITLES.items()
                for synonym in synonyms
            ],
        ),
    )


def fidelity():
    rules = load_rules(RESOURCES / "context_rules.yaml")
    return Fidelity(rules, terms(), load_equivalents(RESOURCES / "equivalents.yaml"))


def screen(settings, train=(), exemplars=None):
    facts = learn_facts([(text, []) for text in train], fidelity())
    return make_screen(OFF | settings, ScreenContext(exemplars or {}, facts))


def known(code, role="companion", **more):
    title, synonyms = TITLES[code]
    return {
        "code": code,
        "role": role,
        "kind": kind_of(code),
        "title": title,
        "wording": synonyms[0],
        "style": "synonym",
        "synonyms": synonyms,
    } | more


def request(codes, **more):
    roles = ["anchor", *["companion"] * (len(codes) - 1)]
    fields = {
        "request_id": "r",
        "anchor": codes[0],
        "codes": sorted(codes),
        "chats": [],
        "follow_up": None,
        "before": "",
        "after": "",
        "knowledge": [known(code, role) for code, role in zip(codes, roles, strict=True)],
        "seed": 1,
        "data_class": "public",
        "reserve": False,
    }
    return Request(**fields | more)


def draft(text, finish_reason="stop", **more):
    fields = {
        "request_id": "r",
        "text": text,
        "plan": None,
        "judgement": None,
        "repaired": False,
        "finish_reason": finish_reason,
        "model": "m",
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "attempts": 1,
        "endpoint": None,
    }
    return Draft(**fields | more)


def _form(check):
    for name in ("faulty", "clean"):
        for one in load("format")[check][name]:
            finish_reason, text = one if isinstance(one, list) else ("stop", one)
            yield name == "faulty", request(["135"]), draft(text, finish_reason)


def _meaning(check):
    for name in ("faulty", "clean"):
        for one in load(check)[name]:
            codes = one["codes"] if "codes" in one else [one["code"]]
            yield name == "faulty", request(codes), draft(one["text"])


def _memorised():
    for name in ("faulty", "clean"):
        for text in load("memorised")[name]:
            yield name == "faulty", request(["135"]), draft(text)


def _style(check):
    notes = load("style")
    faulty = notes["faulty"]
    if check == "length":
        faulty = [" ".join([one["text"]] * int(one["repeat"])) for one in notes["length"]["faulty"]]
    for is_faulty, texts in ((True, faulty), (False, notes["clean"])):
        for text in texts:
            yield is_faulty, request(["135"]), draft(text)


FORM = ("refused", "artefacts", "placeholders", "code_numerals", "cut", "empty")
MEANING = ("missing_code", "extra_code", "verbatim")
SEEN = ("memorised", "length", "style")


def train_of(check):
    """Return the train notes that a check compares with."""
    if check == "memorised":
        notes = load("memorised")
        return [*notes["train"], *(f"{end} {notes['boilerplate']}" for end in "abcdef")]
    return load("style")["train"] if check in ("length", "style") else []


def cases(check):
    """Return (is it faulty, request, draft) of every example of a check."""
    if check in FORM:
        return list(_form(check))
    if check in MEANING:
        return list(_meaning(check))
    return list(_memorised() if check == "memorised" else _style(check))


def pairs():
    """Return (near-duplicates?, note, note) of every example of near_duplicate."""
    examples = load("near_duplicate")
    notes = examples["notes"]
    found = []
    for one in examples["faulty"]:
        text = notes[one["of"]]
        for before, after in one["replace"].items():
            assert before in text, before
            text = text.replace(before, after)
        found.append((True, notes[one["of"]], text))
    return found + [(False, notes[a], notes[b]) for a, b in examples["clean"]]


def similarity(one, other):
    return signature(cleaned(one, [])).jaccard(signature(cleaned(other, [])))


def half(examples, odd):
    """Return every second faulty and every second clean example."""
    parts = [[one for one in examples if one[0] is faulty] for faulty in (True, False)]
    return list(chain.from_iterable(part[odd::2] for part in parts))
