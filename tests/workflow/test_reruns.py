"""What reruns after a change: what depends on it, and nothing else."""

import os
import re
import shutil
import time

import polars as pl
import pytest
import yaml
from stand_in_server import StandInServer


def _replace(path, old, new):
    text = path.read_text()
    assert old in text, f"{path} no longer contains {old!r}"
    path.write_text(text.replace(old, new))


def _package(checkout, module):
    return checkout.folder / "workflow" / "scripts" / "longtail_icd" / module


def test_whole_run_ends_with_a_report_and_nothing_left_to_do(finished):
    assert finished.result("report/index.html").stat().st_size > 10_000
    assert finished.pending() == set()


def test_comments_and_the_clock_rerun_nothing(changeable):
    module = _package(changeable, "plan/allocation.py")
    module.write_text("# A comment.\n" + module.read_text())
    for path in (changeable.folder / "workflow").rglob("*.py"):
        os.utime(path, (time.time(), time.time()))
    assert changeable.pending() == set()


def test_a_lost_benchmark_reruns_nothing(changeable):
    """Nor does a rule that is measured from now on: its finished work has no benchmark either."""
    shutil.rmtree(changeable.result("benchmarks"))
    assert changeable.pending() == set()


def test_editing_a_stage_reruns_it_and_what_follows(changeable):
    module = _package(changeable, "plan/allocation.py")
    module.write_text(module.read_text() + "\n\ndef unused() -> int:\n    return 1\n")
    pending = changeable.pending()
    assert {"stratify_codes", "allocate_notes", "generate_notes", "train_gki_icd"} <= pending
    assert "write_report" in pending
    assert not pending & {"simulate_hospital", "prepare_corpus", "extract_taxonomy"}


def test_editing_the_report_reruns_only_the_report(changeable):
    module = _package(changeable, "report/style.py")
    module.write_text(module.read_text() + "\n\ndef unused() -> int:\n    return 1\n")
    pending = changeable.pending()
    assert "write_report" in pending
    parts = ("plot_", "tabulate_codes", "account_jobs", "write_report", "all")
    assert all(rule.startswith(parts) for rule in pending), pending


def test_a_recipe_parameter_reruns_only_what_depends_on_it(changeable):
    config = changeable.folder / "config" / "config.yaml"
    _replace(config, "min_words: 30,", "min_words: 31,")
    pending = changeable.pending()
    # Notes that fail are replaced while they are written, so the writer's job looks again.
    assert {"generate_notes", "screen_notes", "collect_notes"} <= pending
    assert not pending & {"stratify_codes", "build_code_sets", "compose_prompts"}
    jobs = changeable.snakemake("--dry-run")
    assert not re.search(r"output: \S*training/gki_icd/original/", jobs), (
        "original was to be trained again"
    )


def test_deleting_one_shard_regenerates_that_shard_alone(changeable):
    shard = changeable.result("generation/paper/responses/001.parquet")
    before = shard.read_bytes()
    shard.unlink()
    target = str(shard.relative_to(changeable.folder))
    output = changeable.snakemake(target)
    assert re.search(r"generate_notes\s+1\n", output)
    assert "compose_prompts  " not in output
    assert shard.read_bytes() == before


def test_single_rules_and_stages_can_be_asked_for(changeable):
    assert changeable.pending("plan") == set()
    assert changeable.pending("training") == set()
    again = changeable.pending("-R", "train_gki_icd")
    assert {"train_gki_icd", "predict_codes", "write_report"} <= again
    assert "train_plm_icd" not in again
    until = changeable.pending("--until", "build_code_sets", "--forceall")
    assert "build_code_sets" in until
    assert not until & {"select_exemplars", "compose_prompts", "train_gki_icd"}


@pytest.mark.slow
def test_more_shards_ask_the_model_for_nothing_again(changeable):
    """And the notes stay the same: which shard a request is in does not matter."""
    with StandInServer() as server:
        overlay = changeable.folder / "config" / "served.yaml"
        served = {
            "writers": {"served": server.writer()},
            "recipes": {"paper": {"writer": "served"}},
        }
        notes = []
        for shards in (2, 5):
            overlay.write_text(yaml.safe_dump(served | {"generation": {"shards": shards}}))
            changeable.snakemake(
                *("generation", "--configfile", "tests/config/tiny.yaml", str(overlay))
            )
            path = changeable.result("generation/paper/notes.parquet")
            notes.append(pl.read_parquet(path).sort("request_id"))
            if shards == 2:
                asked = len(server.requests)
        assert asked >= notes[0].height > 0
        assert len(server.requests) == asked
    assert notes[0].equals(notes[1])
