"""What jobs took, by hand: from benchmark files as Snakemake writes them, from sacct's lines."""

import stat

import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.report.jobs import (
    job_tables,
    parse_accounting,
    read_accounting,
    read_benchmarks,
    sum_up,
)

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
RULES = ["screen_notes", "train_plm_icd", "prepare_corpus"]
# JobIDRaw, Comment, State, ElapsedRaw, AllocTRES, TotalCPU, MaxRSS
ACCOUNTED = """\
7|rule_train_plm_icd_wildcards_original_1|OUT_OF_MEMORY|1800|cpu=4,gres/gpu=1,mem=16000M|00:30:00|
7.batch||OUT_OF_MEMORY|1800|cpu=4,mem=16000M|00:30:00|512000K
7.0||OUT_OF_MEMORY|1800|cpu=4,mem=16000M|00:30:00|15.5G
8|rule_train_plm_icd_wildcards_original_1|COMPLETED|3600|cpu=4,gres/gpu=1,mem=32000M|1-01:00:00|
8.0||COMPLETED|3600|cpu=4,mem=32000M|1-01:00:00|20G
9|rule_collect_notes_wildcards_paper|CANCELLED by 0|0||00:00.000|
11|rule_write_report|RUNNING|5|cpu=1,mem=4000M|00:00:00|
10|somebody's own work|COMPLETED|99|cpu=1,mem=1G|00:10.500|
10.0||COMPLETED|99|cpu=1,mem=1G|00:10.500|1G
""".splitlines()


def write_benchmark(path, seconds, memory, cpu):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}{seconds}\t0:00:00\t{memory}\t1\t1\t1\t1\t1\t1\t{cpu}\n")


def test_benchmark_files_are_summed_by_the_rule_in_their_path(tmp_path):
    write_benchmark(tmp_path / "benchmarks/generation/paper/screen_notes/000.tsv", 1800, 300.5, 900)
    write_benchmark(tmp_path / "benchmarks/generation/paper/screen_notes/001.tsv", 3600, 200, 1800)
    write_benchmark(tmp_path / "benchmarks/corpus/prepare_corpus.tsv", 0.2, "NA", "NA")
    write_benchmark(tmp_path / "training/plm_icd/original/seed1/benchmark.tsv", 7200, 900, 3600)
    write_benchmark(tmp_path / "benchmarks/corpus/a_rule_of_older_code.tsv", 1, 1, 1)
    jobs = sum_up("benchmark", read_benchmarks(tmp_path, RULES))
    assert jobs["rule"].to_list() == ["train_plm_icd", "screen_notes", "prepare_corpus"]
    assert jobs["attempts"].to_list() == [1, 2, 1]
    assert jobs["hours"].to_list() == pytest.approx([2, 1.5, 0.2 / 3600])
    assert jobs["cpu_hours"].to_list() == pytest.approx([1, 0.75, 0])
    assert jobs["memory_used"].to_list() == [900, 300.5, None]
    unknown = jobs.select("failed", "core_hours", "gpu_hours", "memory_asked")
    assert unknown.null_count().row(0) == (3, 3, 3, 3)


def test_a_file_that_is_no_benchmark_is_named(tmp_path):
    path = tmp_path / "benchmarks/corpus/prepare_corpus.tsv"
    path.parent.mkdir(parents=True)
    path.write_text("cut")
    with pytest.raises(UserError, match=r"prepare_corpus\.tsv: not a benchmark"):
        read_benchmarks(tmp_path, RULES)


def test_accounting_counts_every_attempt_with_the_memory_of_its_steps():
    jobs = sum_up("accounting", parse_accounting(ACCOUNTED))
    assert jobs["rule"].to_list() == ["train_plm_icd", "collect_notes"]
    assert jobs.row(0, named=True) == {
        "source": "accounting",
        "rule": "train_plm_icd",
        "attempts": 2,
        "failed": 1,
        "hours": 1.5,
        "cpu_hours": 25.5,
        "core_hours": 6.0,
        "gpu_hours": 1.5,
        "memory_used": 20 * 1024,
        "memory_asked": 32000,
    }


def test_jobs_of_other_folders_are_not_counted(tmp_path, monkeypatch):
    """A stand-in for sacct; a step says no folder of its own."""
    folders = {"7": tmp_path, "8": "/elsewhere", "10": tmp_path}
    lines = [
        f"{line}|{folders.get(line.split('|')[0], '')}" for line in ACCOUNTED if line[0] != "9"
    ]
    sacct = tmp_path / "bin/sacct"
    sacct.parent.mkdir()
    sacct.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")
    sacct.chmod(sacct.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(sacct.parent), prepend=":")
    monkeypatch.chdir(tmp_path)
    jobs = read_accounting(0.0)
    assert jobs["rule"].to_list() == ["train_plm_icd"]
    assert jobs["memory_used"].to_list() == [15.5 * 1024]


def test_a_cluster_without_accounting_is_no_error(tmp_path, monkeypatch, capsys):
    sacct = tmp_path / "sacct"
    sacct.write_text("#!/bin/sh\necho 'Slurm accounting storage is disabled' >&2\nexit 1\n")
    sacct.chmod(sacct.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert read_accounting(0.0) is None
    assert "storage is disabled" in capsys.readouterr().out
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert read_accounting(0.0) is None


def test_the_page_shows_each_source_with_its_sums():
    accounted = sum_up("accounting", parse_accounting(ACCOUNTED))
    (table,) = job_tables(accounted)
    assert table.rows == [
        ["train_plm_icd", "2", "1", "1.50", "25.50", "6.00", "1.50", "20,480", "32,000"],
        ["collect_notes", "1", "1", "0.00", "0.00", "0.00", "0.00", "–", "–"],
        ["all", "3", "2", "1.50", "25.50", "6.00", "1.50", "20,480", "32,000"],
    ]
    measured = accounted.with_columns(source=pl.lit("benchmark"), failed=pl.lit(None, pl.Int64))
    assert [len(one.rows) for one in job_tables(pl.concat([accounted, measured]))] == [3, 3]
