"""The gallery: what is marked, who is shown, and that nothing of a note can act on the page."""

import re
import stat
from html.parser import HTMLParser

import polars as pl
import pytest
from generation_stage import ROOT
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.generation.endpoints.licences import CREDENTIALED, SIMULATED, UNKNOWN
from longtail_icd.generation.quality.gallery import gallery_page, pick_notes, read_notes
from longtail_icd.generation.quality.pages import render
from longtail_icd.generation.quality.restricted import close_restricted
from longtail_icd.generation.quality.spans import Piece, pieces
from quality_notes import write_files

TEMPLATE = ROOT / "resources/quality/gallery.html.j2"
HOSTILE = "</div><script>alert(1)</script><img src=x onerror='a()'>\" & {{{{ 7 * 7 }}}} {n}"
VOID = {"meta", "input", "br"}
SPANS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=3)


class Page(HTMLParser):
    """Fails on a tag closed out of turn; collects tags with their attributes, and the text."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.ids, self.text = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [content for name, content in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def count(self, tag):
        return sum(one == tag for one, _ in self.tags)


def page_of(folder, restricted=None, **options):
    files = write_files(folder, **options)
    notes = read_notes(files, [files["prompts"]], 8, 1)
    return gallery_page(notes, "paper", "demo", restricted, TEMPLATE)


def test_overlapping_evidence_by_hand():
    assert pieces("acute chf", [[(0, 9)], [(6, 9)]]) == [
        Piece("acute ", [0]),
        Piece("chf", [0, 1]),
    ]
    assert pieces("acute chf", [[], [(6, 99)]]) == [Piece("acute ", []), Piece("chf", [1])]
    assert pieces("", [[(0, 3)]]) == []


@given(st.text("abc<&", max_size=12), st.lists(SPANS, max_size=3))
def test_pieces_are_the_note_and_each_character_keeps_its_codes(text, evidence):
    cut = pieces(text, evidence)
    assert "".join(piece.text for piece in cut) == text
    codes = [piece.codes for piece in cut for _ in piece.text]
    for place, found in enumerate(codes):
        assert found == [
            number
            for number, spans in enumerate(evidence)
            if any(start <= place < end for start, end in spans)
        ]


def test_every_tier_is_shown_and_a_quarter_is_rejected():
    rows = [
        {"request_id": f"{tier}{status}{one}", "status": status, "tier": tier}
        for tier, status, count in (
            ("tail", "ok", 50),
            ("tail", "rejected", 50),
            ("few_shot", "ok", 50),
            ("zero_shot", "rejected", 3),
        )
        for one in range(count)
    ]
    chosen = pick_notes(pl.DataFrame(rows), 24, 1)
    found = [re.match(r"(tail|few_shot|zero_shot)(ok|rejected)", one).groups() for one in chosen]
    assert found == (
        [("tail", "ok")] * 6
        + [("tail", "rejected")] * 2
        + [("few_shot", "ok")] * 8
        + [("zero_shot", "rejected")] * 3
    )
    assert chosen == pick_notes(pl.DataFrame(rows[::-1]), 24, 1)


def test_marks_verdicts_reasons_and_prompts_are_on_the_page(tmp_path):
    html = page_of(tmp_path, written=6, rejected=6)
    page = Page(html)
    assert page.count("article") == 8
    assert html.count('<mark class="anchor">This<sup>1,2</sup></mark>') == 6
    assert html.count("too short") == 2
    assert html.count("rejected, no labels") == 4
    assert len(re.findall(r"<pre>Write r\d+\.</pre>", html)) == 8
    assert "Congestive heart failure, unspecified" in html


def test_hostile_text_stays_text(tmp_path):
    page = Page(page_of(tmp_path, text=HOSTILE))
    assert page.count("script") == 1
    assert page.count("img") == 0
    assert "alert(1)" in "".join(page.text)
    assert "{{ 7 * 7 }}" in "".join(page.text)


def test_nothing_is_fetched_from_anywhere(tmp_path):
    html = page_of(tmp_path)
    assert "default-src 'none'" in html
    assert not [attrs for _, attrs in Page(html).tags if {"src", "href", "action"} & set(attrs)]


@pytest.mark.parametrize("name", ["gallery", "review"])
def test_controls_have_labels_and_scrolling_parts_the_keyboard(name):
    html = (TEMPLATE.parent / f"{name}.html.j2").read_text(encoding="utf-8")
    for field in re.findall(r"<(?:input|select)[^>]*>", html):
        before = html[: html.index(field)]
        assert before.rindex("<label>") > before.rfind("</label>")
    for part in re.findall(r'<div class="scroll"[^>]*>', html):
        assert 'tabindex="0"' in part and "aria-label" in part


def contrast(one, other):
    def luminance(colour):
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted([luminance(one), luminance(other)], reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_text_has_the_contrast_of_wcag_aa_by_day_and_by_night():
    style = (TEMPLATE.parent / "style.css.j2").read_text(encoding="utf-8")
    day, night = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in style.split("@media")[:2]
    )
    pairs = [
        *(("ink", ground) for ground in ("paper", "wash", "mark", "mark-anchor")),
        *(("quiet", "paper"), ("accent", "paper"), ("warn-ink", "warn-wash")),
    ]
    for colours in (day, night):
        for ink, ground in pairs:
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


@pytest.mark.parametrize("licence", [CREDENTIALED, UNKNOWN])
def test_restricted_pages_lie_in_a_folder_that_says_why_and_only_its_owner_enters(
    tmp_path, licence
):
    page = tmp_path / "restricted/gallery/index.html"
    page.parent.mkdir(parents=True)
    close_restricted(page, licence)
    folder = tmp_path / "restricted"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert licence.name in (folder / "RESTRICTED.txt").read_text()


def test_public_pages_are_closed_to_nobody(tmp_path):
    close_restricted(tmp_path / "gallery/index.html", SIMULATED)
    assert list(tmp_path.iterdir()) == []


def test_a_restricted_page_says_so(tmp_path):
    assert "Do not share" in page_of(tmp_path, restricted="the licence")


def test_a_broken_template_is_named(tmp_path):
    template = tmp_path / "page.html.j2"
    template.write_text("{% if %}")
    with pytest.raises(UserError, match=r"page\.html\.j2"):
        render(template)


def test_no_note_no_error():
    empty = {"request_id": pl.String, "status": pl.String, "tier": pl.String}
    assert pick_notes(pl.DataFrame(schema=empty), 8, 1) == []
    assert "There is no note to show" in gallery_page([], "paper", "demo", None, TEMPLATE)
