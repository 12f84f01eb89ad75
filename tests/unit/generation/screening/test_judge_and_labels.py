"""Judgements, plans and the labels that come of them."""

import json
from dataclasses import asdict

import pytest
from longtail_icd.generation.screening.answers import planned_wordings, read_object
from longtail_icd.generation.screening.judge import read_judgement
from longtail_icd.generation.screening.words import Words
from screening_examples import draft, request, screen

CHECKS = {"missing_code": 0.2, "extra_code": 0}
NOTE = "Admitted with CHF. Heparin drip for a clot in the lung. No pneumonia."


def labels(result):
    return {one["code"]: one["verdict"] for one in result.labels}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('Here: ```{"a": [1, ], }``` bye', {"a": [1]}),
        ("no JSON", {}),
        (None, {}),
        ("[1]", {}),
        ('{"a": ', {}),
    ],
)
def test_objects_are_read_leniently(answer, expected):
    assert read_object(answer) == expected


def test_a_plan_gives_further_words_for_its_codes():
    plan = json.dumps(
        {"items": [{"item": 2, "wording": "clot", "manifestation": 3}, {"item": 9, "wording": "x"}]}
    )
    assert planned_wordings(plan, ["428.0", "415.19"]) == {"415.19": ["clot"]}
    assert planned_wordings("none", ["428.0"]) == {}


def test_only_quotes_that_stand_in_the_note_count():
    answer = json.dumps(
        {
            "items": [
                {"item": 1, "supported": True, "quote": "clot in the LUNG", "status": "present"},
                {"item": 2, "supported": True, "quote": "made up", "status": "present"},
                {"item": 3, "supported": False, "quote": "", "status": "absent"},
                {"item": 4, "supported": True, "quote": "CHF", "status": "family"},
                {"item": "x"},
                3,
            ],
            "extra": [
                {"condition": "gout", "quote": "no such words"},
                {"condition": "chf", "quote": "CHF"},
            ],
        }
    )
    judgement = read_judgement(answer, ["a", "b", "c", "d"], Words(NOTE))
    assert judgement.quoted == {"a": [(7, 11)]}
    assert judgement.denied == {"c": "negated"}
    assert judgement.extra == {"chf": [(2, 3)]}
    assert read_judgement(None, ["a"], Words(NOTE)) == read_judgement("?", [], Words(NOTE))


def judged(number, quote):
    return json.dumps({"items": [{"item": number, "supported": True, "quote": quote}]})


def test_verdicts_of_a_note_and_what_is_to_be_repaired():
    asked = request(["428.0", "415.19", "486"])
    result = screen(CHECKS).assess(asked, draft(NOTE))
    assert result.reasons == ["missing_code"]
    assert result.repairs == [
        "Make clear that the patient has, in this stay: Other pulmonary embolism and infarction; "
        "Pneumonia, organism unspecified."
    ]
    assert result.labels == []
    # A note that was repaired already is not repaired again.
    assert screen(CHECKS).assess(asked, draft(NOTE, repaired=True)).repairs == []


def test_a_quote_or_a_planned_wording_supports_a_code():
    asked = request(["428.0", "415.19"])
    quoted = screen(CHECKS).assess(asked, draft(NOTE, judgement=judged(2, "clot in the lung")))
    assert labels(quoted) == {"428.0": "stated", "415.19": "quoted"}
    (span,) = quoted.labels[1]["evidence"]
    assert NOTE[span["start"] : span["end"]] == "clot in the lung"
    plan = json.dumps({"items": [{"item": 2, "wording": "clot in the lung"}]})
    assert labels(screen(CHECKS).assess(asked, draft(NOTE, plan=plan)))["415.19"] == "stated"


def test_relabelling_drops_what_is_denied_and_adds_what_is_there():
    note = NOTE + " Known sarcoidosis."
    asked = request(["428.0", "486"])
    assert screen(CHECKS).assess(asked, draft(note)).reasons == ["missing_code", "extra_code"]
    result = screen(CHECKS | {"relabel": True}).assess(asked, draft(note))
    assert labels(result) == {"428.0": "stated", "486": "dropped", "135": "extra"}
    assert [one["role"] for one in result.labels] == ["anchor", "companion", "extra"]
    assert [one["weight"] for one in result.labels] == [1.0, 0.0, 1.0]


def test_an_anchor_without_support_is_never_let_through():
    asked = request(["486", "428.0"])
    for relabel in (False, True):
        result = screen({"missing_code": 1.0, "relabel": relabel}).assess(asked, draft(NOTE))
        assert result.reasons == ["missing_code"]


def test_wording_by_title_is_no_fault_where_it_was_asked_for():
    note = "Cirrhosis of liver without mention of alcohol."
    asked = request(["571.5"])
    assert screen({"verbatim": 0.3}).assess(asked, draft(note)).reasons == ["verbatim"]
    asked.knowledge[0]["style"] = "title"
    assert screen({"verbatim": 0.3}).assess(asked, draft(note)).reasons == []


def test_the_same_draft_is_always_assessed_alike():
    asked, note = request(["428.0", "415.19", "486"]), draft(NOTE)
    checked = screen(CHECKS)
    first = asdict(checked.assess(asked, note))
    checked.assess(request(["135"]), draft("Sarcoidosis."))
    assert asdict(checked.assess(asked, note)) == first


def test_checks_that_are_off_cost_nothing_and_reject_nothing():
    faulty = draft("[Patient Name] has no pneumonia (486.0) and")
    result = screen({}).assess(request(["486"]), faulty)
    assert result.reasons == [] and labels(result) == {"486": "stated"}
