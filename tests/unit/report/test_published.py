"""The page sets the corpus beside a published one, where the configuration names one."""

import json
from functools import partial
from pathlib import Path

from longtail_icd.report import page
from longtail_icd.report.tables import published_table
from report_run import TEMPLATE, read
from report_tables import MANIFEST, settings

LINE = {
    "figure": "documents.all",
    "here": 1234,
    "published": 52726,
    "tolerance": 4,
    "agrees": False,
    "verified": False,
    "source": "a paper",
}


def test_each_line_says_whether_it_agrees():
    table = published_table({"corpus": "mimic3_full", "figures": [LINE]})
    assert table.rows == [["documents, all", "1,234", "52,726", "4", "no", "a paper (unverified)"]]
    agreeing = {**LINE, "agrees": True, "verified": True, "here": None}
    row = published_table({"corpus": "mimic3_full", "figures": [agreeing]}).rows[0]
    assert row[1] == "–" and row[4:] == ["yes", "a paper"]


def test_the_page_has_the_table_only_if_a_published_corpus_is_named(sample_run):
    paths = sample_run()
    caption = "Compared with the published corpus mimic3_full"
    render = partial(page.render, settings=settings(), template=TEMPLATE)
    assert caption not in render(read(paths))
    published = {"corpus": "mimic3_full", "figures": [LINE]}
    Path(paths["manifest"]).write_text(json.dumps(MANIFEST | {"published": published}))
    html = render(read(paths))
    assert caption in html and "52,726" in html
