"""The page: what stands on it, what must never stand on it, and that it can be read alone."""

import re
from html.parser import HTMLParser

import pytest
from longtail_icd.report import page, provenance
from longtail_icd.report.glossary import PLAUSIBILITY, metric_order, tier_rules
from report_run import SECRET_ID, SECRET_TEXT, TEMPLATE, read
from report_tables import settings

BANNER = (
    "This corpus is simulated. The figures show that the machinery works; "
    "they are no clinical claim."
)
VOID = {"meta", "br", "hr", "img", "input", "link", "path", "use"}


class Checker(HTMLParser):
    """Fails on a tag that is closed out of turn; collects links, ids and table shapes."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.ids, self.widths = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.links += [
            attributes[key] for key in ("src", "href", "xlink:href") if key in attributes
        ]
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "tr":
            self.widths.append(0)
        if tag in ("td", "th"):
            self.widths[-1] += 1
            assert tag == "td" or attributes["scope"] in ("row", "col")
        if tag == "table":
            self.widths.append(None)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def cells_of(html):
    """Return the words between tags, with a bar for each run of tags."""
    return re.sub(r"[|\s]*\|[|\s]*", "|", re.sub(r"<[^>]+>", "|", html))


def checked(html):
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


@pytest.fixture
def page_of(sample_run):
    """Return a function that renders the sample run under other settings."""

    def make(path=None, **options):
        sources = read(sample_run(**options))
        return page.render(sources, settings(path=path, **options), TEMPLATE)

    return make


@pytest.mark.parametrize("path", [None, "/somewhere/secret/mimic"])
def test_banner_iff_simulated(page_of, path):
    assert (BANNER in page_of(path=path)) == (path is None)


def test_page_is_well_formed_self_contained_and_its_tables_are_even(page_of):
    checker = checked(page_of(train_sets=("original", "extended", "permuted"), seeds=(1, 2)))
    assert all(link.startswith("#") for link in checker.links)
    assert {link[1:] for link in checker.links} <= set(checker.ids)
    assert len(checker.ids) == len(set(checker.ids))
    width = None
    for found in checker.widths:
        if found is not None and width is not None:
            assert found == width
        width = found


def test_no_note_text_note_id_or_machine_path_on_the_page(page_of):
    html = page_of(path="/somewhere/secret/mimic")
    for hidden in (SECRET_TEXT, SECRET_ID, "/somewhere/secret"):
        assert hidden not in html
    assert "path: mimic" in html


def test_every_train_set_of_each_model_has_its_row(page_of):
    html = page_of(train_sets=("original", "extended", "permuted"))
    section = html[html.index('<section id="train-sets"') : html.index('<section id="tiers"')]
    for model in ("GKI-ICD", "PLM-ICD"):
        assert f"{model}: means over seeds in points, with intervals" in section
    assert section.count('<th scope="row">permuted</th>') == 2


@pytest.mark.parametrize("seeds", [(1,), (1, 2)])
def test_seeds_together_stand_there_if_there_are_several(page_of, seeds):
    assert ("GKI-ICD: all seeds together in points" in page_of(seeds=seeds)) == (len(seeds) > 1)


def test_answer_comes_first_and_sections_follow_in_order(page_of):
    html = page_of(train_sets=("original", "extended", "permuted"))
    places = [
        html.index(f'<section id="{name}"')
        for name in (
            "answer",
            "comparisons",
            "train-sets",
            "tiers",
            "codes",
            "families",
            "synthetic",
            "quality",
            "curves",
            "literature",
            "missing",
            "details",
            "scores",
            "label-space",
            "corpus",
            "plan",
            "plausibility",
            "definitions",
            "reproduce",
        )
    ]
    assert places == sorted(places)
    assert html.index("+4.2 [+1.1, +7.5]") < places[1]


def test_the_controls_are_no_answer_but_stand_beside_it(page_of):
    html = page_of(train_sets=("original", "extended", "permuted"))
    answers = html[html.index('<section id="answer"') : html.index('<section id="comparisons"')]
    assert "permuted against original" not in answers
    cells = cells_of(html)
    assert "|extended − original|question|+4.2 [+1.1, +7.5]|" in cells
    assert "|permuted − original|permuted labels|−0.4 [−2.0, +1.0]|" in cells
    assert "|equal steps|not run|–|–|–|" in cells


@pytest.mark.parametrize("equal_steps", [False, True])
def test_a_gain_without_equal_steps_says_so_beside_the_answer(sample_run, equal_steps):
    train_sets = ("original", "extended", "permuted")
    configured = settings(train_sets=train_sets)
    if equal_steps:
        configured["train_sets"]["permuted"]["steps_of"] = "extended"
    html = page.render(read(sample_run(train_sets=train_sets)), configured, TEMPLATE)
    assert ("No comparison at equal steps was run." in html) != equal_steps


def test_what_did_not_run_is_listed(page_of):
    html = page_of(train_sets=("original", "extended", "permuted"))
    missing = html[html.index('<section id="missing"') : html.index('<section id="details"')]
    for name in ("description notes", "oversampled real notes", "equal steps", "more seeds"):
        assert f"<dt>{name}</dt>" in missing
    assert "permuted labels" not in missing


def test_a_run_of_scores_alone_has_a_readable_page(sample_run):
    """No comparison, no recipe, one seed, no GPU: each section says so or is not there."""
    lists = ["allocations", "code_sets", "assessments", "synthetic_notes", "synthetic_labels"]
    paths = sample_run() | {key: [] for key in [*lists, "manifests", "qualities"]}
    configured = settings() | {"comparisons": [], "recipes": {}, "writers": {}}
    configured["train_sets"]["extended"]["recipes"] = []
    html = page.render(read(paths, recipes=(), assessed=()), configured, TEMPLATE)
    checked(html)
    cells = cells_of(html)
    for words in (
        "The configuration names no comparison, so this page cannot answer.",
        "No train set uses synthetic notes.",
        "|synthetic notes|none|",
        "No published score stands here. The corpus is simulated",
    ):
        assert words in cells
    assert 'id="quality"' not in html


def test_disjoint_wording_is_named_a_control(sample_run):
    configured = settings()
    configured["corpus"]["simulation"]["overlap"] = 0
    html = page.render(read(sample_run()), configured, TEMPLATE)
    assert "This whole run is a negative control" in html


def test_figures_of_the_sample_stand_in_the_tables(page_of):
    cells = cells_of(page_of())
    assert "|test|2|1|2|2.0|" in cells  # documents, patients, codes, labels per note
    assert "|few-shot|n = 1–9|2|6|2|3|0|" in cells  # codes, train, test, anchor, companion
    assert "|head|n ≥ 100|1|140|2|0|3|" in cells
    assert "|few-shot|3|3|3|0|100.0%|" in cells
    assert "|zero-shot|1|1|0|1|0.0%|" in cells
    assert "|too short|1|" in cells
    assert "|nowhere|text|4|" in cells
    assert "|without codes|1,234|" in cells
    assert "|micro-F1, all codes|−0.2|[−0.6, +0.3]|no|" in cells


def test_plausibility_stands_beside_train_and_every_measure_is_explained(page_of):
    """Shares in points, the rest as it is; a measure that train has none of leaves its cell."""
    html = page_of()
    part = html[html.index('<section id="plausibility"') : html.index('<section id="definitions"')]
    cells = cells_of(part)
    assert "|all anchors: planned|all anchors: train|few-shot: planned|few-shot: train|" in cells
    assert "|unseen pairs, in points|50.0|25.0|50.0|25.0|50.0|25.0|" in cells
    assert "|pair correlation|0.50|0.25|" in cells
    assert "|AUC by codes|0.50|–|" in cells
    for name, good, _ in PLAUSIBILITY.values():
        assert f"<dt>{name}</dt>\n<dd>" in part
        assert good


def test_without_a_recipe_that_plans_companions_there_is_no_plausibility(sample_run):
    sources = read(sample_run() | {"assessments": []}, assessed=())
    html = page.render(sources, settings(), TEMPLATE)
    assert 'id="plausibility"' not in html
    assert 'href="#plausibility"' not in html


def test_the_three_macro_f1_stand_under_three_names(page_of):
    html = page_of()
    for name in ("harmonic (CAML, PLM-ICD)", "all codes (GKI-ICD)", "test codes (Edin 2023)"):
        assert f'<th scope="row">macro-F1, {name}</th>' in html
        assert f"<dt>macro-F1, {name}</dt>" in html


@pytest.mark.parametrize("label_space", sorted(page.LABEL_SPACES))
def test_how_the_label_space_was_chosen_is_said(sample_run, label_space):
    """Under `corpus` the page must say that the list knows the evaluation's unseen codes."""
    configured = settings()
    configured["corpus"]["label_space"] = label_space
    html = page.render(read(sample_run()), configured, TEMPLATE)
    assert ("knows which unseen codes the evaluation holds" in html) == (label_space == "corpus")


def test_names_from_the_configuration_are_escaped(sample_run):
    configured = settings()
    configured["corpus"]["name"] = "<script>alert(1)</script>"
    html = page.render(read(sample_run()), configured, TEMPLATE)
    assert "<script>alert" not in html


def test_rendering_twice_gives_the_same_page(sample_run):
    paths = sample_run()
    pages = {page.render(read(paths), settings(), TEMPLATE) for _ in range(2)}
    assert len(pages) == 1


def test_settings_show_no_credentials_of_an_endpoint():
    nothing = dict.fromkeys(("headings", "d_icd", "index", "umls"))
    secret = "http://me:secret@host:8000/v1"
    settings = {
        "corpus": {"path": None, "label_file": None, "split": {"ids": None}},
        "terminology": nothing,
        "encoder": {"name": None},
        "writers": {"one": {"base_url": secret}, "many": {"base_urls": [secret, secret]}},
    }
    shown = provenance.shown_settings(settings)
    assert "secret" not in shown and shown.count("http://host:8000/v1") == 3


def test_endpoint_is_shown_without_credentials():
    assert provenance.endpoint_name("http://me:secret@host:8000/v1?key=1") == "http://host:8000/v1"
    assert provenance.endpoint_name(None) == "nowhere"


def test_versions_are_read_at_run_time():
    found = provenance.versions()
    assert found["python"].startswith("3.")
    assert {"torch", "transformers", "snakemake"} <= set(found)


def test_tier_rules_and_metric_order():
    rules = tier_rules({"head": 1000, "medium": 100, "tail": 10})
    assert list(rules.values()) == ["n ≥ 1,000", "n = 100–999", "n = 10–99", "n = 1–9", "n = 0"]
    names = ["precision_at_15", "unknown", "precision_at_8", "macro_f1_harmonic", "micro_f1"]
    assert sorted(names, key=metric_order) == [
        "micro_f1",
        "macro_f1_harmonic",
        "precision_at_8",
        "precision_at_15",
        "unknown",
    ]
