"""Every rule can be read, traced, measured and sent to a cluster."""

import re

import polars as pl
import pytest
from rule_files import ROOT, RULES, TARGETS, asks_for, is_local, keys_of

# From this on a job is heavy: minutes and megabytes of a first attempt.
HEAVY_RUNTIME, HEAVY_MEMORY = 30, 8000


def test_all_rules_are_looked_at():
    scripts = {path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py")}
    run = {re.search(r"scripts/(\w+)\.py", block)[1] for block in RULES.values()}
    assert scripts - run == {"code_notes", "score_review"}  # commands, which no rule runs
    assert "train_{_model}" in RULES and "all" in TARGETS


@pytest.mark.parametrize("name", RULES | TARGETS)
def test_a_rule_says_in_one_line_what_flows_through_it(name):
    block = (RULES | TARGETS)[name]
    first = block.split("\n")[1].strip()
    assert re.fullmatch(r'"""[A-Z].+\."""', first), f"rule {name} has no docstring"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_a_log_an_environment_and_resources(name):
    block = RULES[name]
    assert {"log", "conda", "script"} <= keys_of(block)
    environments = re.findall(r"\.\./\.\./(envs/[\w.]+)", block)
    assert all((ROOT / environment).is_file() for environment in environments)
    if not is_local(name):
        assert re.search(r"mem_mb=\w+", block) and re.search(r"runtime=\w+", block)


@pytest.mark.parametrize("name", RULES)
def test_a_heavy_rule_is_measured(name):
    block = RULES[name]
    heavy = asks_for(block, "runtime") >= HEAVY_RUNTIME or asks_for(block, "mem_mb") >= HEAVY_MEMORY
    if heavy and not is_local(name):
        assert "benchmark" in keys_of(block), f"rule {name} has no benchmark"


def test_only_the_report_reads_what_is_measured():
    """What a run took differs from run to run: nothing that is compared may depend on it."""
    readers = {
        name for name, block in RULES.items() if re.search(r"benchmark", block.split("output:")[0])
    }
    assert readers == {"write_report"}


def test_every_measured_rule_of_a_run_is_counted_by_its_own_name(finished):
    """Stages' folders have the names of targets, which are rules too and take nothing."""
    jobs = pl.read_parquet(finished.result("report/jobs.parquet")).filter(source="benchmark")
    measured = {name for name, block in RULES.items() if "benchmark" in keys_of(block)}
    files = [
        *finished.result("benchmarks").rglob("*.tsv"),
        *finished.result("training").rglob("*.tsv"),
    ]
    assert {"train_plm_icd", "train_gki_icd", "predict_codes", "screen_notes"} <= set(jobs["rule"])
    assert {re.sub("^train_.*", "train_{_model}", rule) for rule in jobs["rule"]} <= measured
    # The report's own rules may be measured before or after.
    earlier = jobs.filter(~pl.col("rule").is_in(["tabulate_codes", "write_report"]))
    assert earlier["attempts"].sum() == sum(path.parent.name != "report" for path in files)
