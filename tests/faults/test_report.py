"""What a user sees when an input of the report is missing, stale or broken."""

import json
from pathlib import Path

import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.common.files import write_text
from longtail_icd.report import page
from report_run import TEMPLATE, read, write_run
from report_tables import settings


@pytest.fixture
def paths(tmp_path):
    return write_run(tmp_path / "run")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("metrics", "score_predictions"),
        ("averages", "compare_runs"),
        ("ensembles", "score_ensembles"),
        ("comparisons", "compare_runs"),
        ("tiers", "stratify_codes"),
        ("synonyms", "extract_synonyms"),
        ("synthetic_notes", "collect_notes"),
        ("f1_by_tier", "plot_f1_by_tier"),
    ],
)
def test_a_missing_file_is_named_with_the_rule_that_makes_it(paths, name, remedy):
    path = paths[name] if isinstance(paths[name], str) else paths[name][0]
    Path(path).unlink()
    with pytest.raises(UserError, match=remedy) as error:
        read(paths)
    assert path in str(error.value)


def test_a_table_without_a_column_is_named(paths):
    pl.DataFrame({"model": ["plm_icd"]}).write_parquet(paths["metrics"])
    with pytest.raises(UserError, match="column corpus is missing"):
        read(paths)


def test_comparisons_of_another_configuration_are_refused(paths):
    configured = settings(train_sets=("original", "other"))
    with pytest.raises(
        UserError, match=r"no rows for baseline original, against other.*compare_runs"
    ):
        page.render(read(paths), configured, TEMPLATE)


def test_a_manifest_without_a_key_is_named(paths):
    Path(paths["manifests"][0]).write_text(json.dumps({"reasons": {}}))
    with pytest.raises(UserError, match="key models is missing; run `snakemake -R collect_notes`"):
        read(paths)


def test_a_truncated_figure_is_refused(paths):
    Path(paths["learning_curves"]).write_text("")
    with pytest.raises(UserError, match="not an SVG file"):
        read(paths)


@pytest.mark.parametrize("text", ["{% if %}", "{{ nothing_by_this_name }}"])
def test_a_broken_template_is_one_clear_error_and_no_half_page(paths, tmp_path, text):
    template, out = tmp_path / "page.html.j2", tmp_path / "index.html"
    template.write_text(text)
    with pytest.raises(UserError, match="mend the template"):
        write_text(
            page.render(read(paths), settings(), template),
            out,
        )
    assert list(tmp_path.glob("*.html")) == []
