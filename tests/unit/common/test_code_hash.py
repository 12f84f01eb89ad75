"""The rerun hash changes with what code does, not with how it is explained."""

import os

import pytest
from longtail_icd.common.code_hash import _digest_modules, hash_stage

PLAIN = "def f(x):\n    return x + 1\n"


@pytest.fixture
def scripts(tmp_path):
    """Return a folder of scripts with two stages."""
    for folder in ("plan", "report", "common"):
        (tmp_path / "longtail_icd" / folder).mkdir(parents=True)
        (tmp_path / "longtail_icd" / folder / "module.py").write_text(PLAIN)
    for script in ("mine.py", "draw.py"):
        (tmp_path / script).write_text(PLAIN)
    return tmp_path


def hash_anew(scripts):
    """Return the hash of a rule as the next start of Snakemake computes it."""
    _digest_modules.cache_clear()
    return hash_stage(scripts, "plan", "mine")


def test_comments_and_docstrings_do_not_count(scripts):
    (scripts / "mine.py").write_text('def f(x):\n    """Old."""\n    return x + 1\n')
    plain = hash_anew(scripts)
    (scripts / "mine.py").write_text('# c\ndef f(x):\n    """New."""\n\n    return x + 1  # d\n')
    assert hash_anew(scripts) == plain


@pytest.mark.parametrize(
    "changed", ["def f(x):\n    return x + 2\n", "def g(x):\n    return x + 1\n"]
)
def test_behaviour_and_names_count(scripts, changed):
    plain = hash_anew(scripts)
    (scripts / "mine.py").write_text(changed)
    assert hash_anew(scripts) != plain


@pytest.mark.parametrize(
    ("edited", "counts"),
    [
        ("longtail_icd/plan/module.py", True),
        ("longtail_icd/common/module.py", True),
        ("longtail_icd/report/module.py", False),
        ("draw.py", False),
    ],
)
def test_a_rule_goes_by_its_script_its_stage_and_what_all_share(scripts, edited, counts):
    plain = hash_anew(scripts)
    (scripts / edited).write_text("y = 1\n")
    assert (hash_anew(scripts) != plain) == counts


def test_what_is_kept_of_an_older_start_changes_nothing(scripts):
    plain = hash_anew(scripts)
    (kept,) = (scripts / "__pycache__").iterdir()
    assert hash_anew(scripts) == plain
    kept.write_text("{damaged")
    assert hash_anew(scripts) == plain
    kept.unlink()
    assert hash_anew(scripts) == plain


def test_a_folder_that_cannot_be_written_to_is_no_error(scripts, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert hash_anew(scripts)
    assert not (scripts / "__pycache__").exists()
