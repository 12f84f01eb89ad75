"""The pages in a real browser: no error, no request, valid HTML, accessible, never too wide."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from longtail_icd.report.page import render
from report_run import TEMPLATE, read, write_run
from report_tables import settings

TOOLS = Path(__file__).parents[1] / "browser"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install the package chromium"),
    pytest.mark.skipif(
        not (TOOLS / "node_modules").is_dir(), reason="no checkers: run `make page-check`"
    ),
]


def check(pages, screenshots):
    """Return what is wrong with each page; see tests/browser/check_pages.mjs."""
    done = subprocess.run(
        ["node", TOOLS / "check_pages.mjs", CHROMIUM, *pages, "--screenshots", screenshots],
        cwd=TOOLS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def complaints(found):
    """Return everything that a page must not have, as text."""
    wrong = [f"html {line}" for line in found["html"]]
    for look, one in found["looks"].items():
        wrong += [f"{look} {kind} {line}" for kind in ("console", "axe") for line in one[kind]]
        wrong += [f"{look} asked for {address}" for address in one["requests"]]
        if one["overflow"] > 0:
            wrong.append(f"{look} is {one['overflow']} pixels wider than its window")
    return wrong


def test_the_check_finds_what_is_wrong(tmp_path):
    """A page with every flaw that the check is for: it would pass nothing else otherwise."""
    page = tmp_path / "broken.html"
    page.write_text(
        "<!DOCTYPE html><html><head><title>t</title></head><body>"
        '<p style="width:3000px"><img src="missing.png"></i></p>'
        "<script>console.error('wrong')</script></body></html>"
    )
    found = " ".join(complaints(check([page], tmp_path)[0]))
    for part in ("html ", "phone console wrong", "phone axe", "missing.png", "wider than"):
        assert part in found


def test_report_gallery_and_review(changeable, tmp_path):
    changeable.snakemake("generation", "review")
    folder = changeable.result("generation/paper")
    pages = [
        changeable.result("report/index.html"),
        folder / "gallery/index.html",
        folder / "review/index.html",
    ]
    for found in check(pages, tmp_path):
        assert complaints(found) == [], found["path"]


KEYS = """
import { chromium } from "playwright-core";
const browser = await chromium.launch({ executablePath: process.argv[2], args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.goto("file://" + process.argv[3]);
await page.focus(".marked");
const said = [];
for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft"]) {
  await page.keyboard.press(key);
  said.push(await page.textContent(".said"));
}
console.log(JSON.stringify(said));
await browser.close();
"""


def test_the_figure_of_codes_works_by_keyboard(sample_page):
    """From the largest gain on: the first mark, the second, and back."""
    done = subprocess.run(
        ["node", "--input-type=module", "-", CHROMIUM, sample_page],
        input=KEYS,
        cwd=TOOLS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second, again = json.loads(done.stdout)
    assert first.startswith("GKI-ICD: F1 50 → 60 (+10.0)")
    assert second != first and again == first


@pytest.fixture
def sample_page(tmp_path):
    """Return the page of the run in hand-made tables."""
    page = tmp_path / "sample.html"
    sources = read(write_run(tmp_path / "run"))
    page.write_text(render(sources, settings(), TEMPLATE), encoding="utf-8")
    return page
