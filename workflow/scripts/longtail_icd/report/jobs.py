"""What the jobs took: hours, memory, GPUs, from benchmark files and from Slurm's accounting."""

import re
import shutil
import subprocess
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.report.numbers import MISSING, count, is_missing
from longtail_icd.report.tables import PageTable

COLUMNS = TABLES["report/jobs"].columns
SOURCES = {
    "benchmark": "What the jobs took, by Snakemake's benchmark files: the last attempt of each",
    "accounting": "What the jobs took, by the scheduler's accounting: every attempt of each",
}
# One row per job, and one per step of it; only steps know what memory was used.
_FIELDS = ("JobIDRaw", "Comment", "State", "ElapsedRaw", "AllocTRES", "TotalCPU", "MaxRSS")
_UNDER_WAY = ("RUNNING", "PENDING")
_MB = {"": 2**-20, "K": 2**-10, "M": 1, "G": 2**10, "T": 2**20}  # of Slurm's units


def _rule_of(benchmark: Path, rules: Collection[str]) -> str | None:
    """Return the rule that a benchmark file is of: its name is a part of the path."""
    for part in (*benchmark.parent.parts, benchmark.stem):
        for name in (part, f"train_{part}"):
            if name in rules:
                return name
    return None


def read_benchmark(path: str | Path) -> dict[str, Any]:
    """Return the line of a file of a rule's ``benchmark:`` by its columns; null: not measured.

    Raises:
        UserError: the file is missing or not one of Snakemake's.
    """
    try:
        line = pl.read_csv(path, separator="\t", null_values=["NA", "-"]).row(0, named=True)
        return line | {"s": float(line["s"])}
    except (OSError, pl.exceptions.PolarsError, KeyError, TypeError, ValueError):
        raise UserError(
            f"{path}: not a benchmark of Snakemake's; remove it, and its job runs again"
        ) from None


def read_benchmarks(results: Path, rules: Collection[str]) -> pl.DataFrame:
    """Read all benchmark files of a corpus.

    Args:
        results: the corpus's folder of results.
        rules: names of those that are measured; a stage's own target has the name of its folder.

    Returns:
        one row per job: rule, start (seconds since 1970), hours, cpu_hours, memory_used (MB; null
        for a job too short to be looked at).

    Raises:
        UserError: a file is not one of Snakemake's.
    """
    rows = []
    for path in sorted([*results.glob("benchmarks/**/*.tsv"), *results.glob("training/**/*.tsv")]):
        rule = _rule_of(path.relative_to(results), rules)
        if rule is None:
            continue
        line = read_benchmark(path)
        start = path.stat().st_mtime - line["s"]
        cpu_hours = (line["cpu_time"] or 0) / 3600
        rows.append((rule, start, line["s"] / 3600, cpu_hours, line["max_rss"]))
    schema = {
        "rule": pl.String,
        **dict.fromkeys(("start", "hours", "cpu_hours", "memory_used"), pl.Float64),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _seconds(clock: str) -> float:
    """Return seconds of a duration as Slurm writes it. Before: ``1-02:03:04``. After: 93784."""
    days, _, time = clock.rpartition("-")
    seconds = 0.0
    for part in time.split(":"):
        seconds = 60 * seconds + float(part)
    return 86_400 * int(days or 0) + seconds


def _megabytes(memory: str) -> float | None:
    """Return MB (2**20 bytes, as in all figures). Before: ``512K``, ``16G``. After: .5, 16384."""
    if not memory:
        return None
    number, unit = re.fullmatch(r"([\d.]+)([KMGT]?)", memory).groups()
    return float(number) * _MB[unit]


def parse_accounting(lines: Iterable[str]) -> pl.DataFrame:
    """Read what ``sacct`` prints of jobs and their steps.

    Jobs of other programs, and those under way, are left out.

    Returns:
        one row per attempt: rule, failed, hours, cpu_hours, core_hours, gpu_hours, memory_used and
        memory_asked (MB).
    """
    jobs: dict[str, dict[str, object]] = {}
    for line in lines:
        row = dict(zip(_FIELDS, line.split("|"), strict=True))
        number, _, step = row["JobIDRaw"].partition(".")
        if step:
            used = _megabytes(row["MaxRSS"])
            if number in jobs and used is not None:
                jobs[number]["memory_used"] = max(used, jobs[number]["memory_used"] or 0)
            continue
        rule = re.match(r"rule_(\w+?)(_wildcards_|$)", row["Comment"])
        if rule is None or row["State"] in _UNDER_WAY:
            continue
        hours = int(row["ElapsedRaw"]) / 3600
        given = dict(one.split("=") for one in row["AllocTRES"].split(",") if one)
        jobs[number] = {
            "rule": rule[1],
            "failed": row["State"] != "COMPLETED",
            "hours": hours,
            "cpu_hours": _seconds(row["TotalCPU"]) / 3600,
            "core_hours": hours * int(given.get("cpu", 0)),
            "gpu_hours": hours * int(given.get("gres/gpu", 0)),
            "memory_used": None,
            "memory_asked": _megabytes(given.get("mem", "")),
        }
    numbers = [name for name in COLUMNS if COLUMNS[name] == pl.Float64]
    schema = {"rule": pl.String, "failed": pl.Boolean, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(list(jobs.values()), schema=schema)


def read_accounting(since: float) -> pl.DataFrame | None:
    """Ask Slurm for the jobs of this user that were started from this folder.

    Args:
        since: seconds since 1970; earlier jobs are left out.

    Returns:
        see :func:`parse_accounting`; None where there is no Slurm, or no accounting.
    """
    if shutil.which("sacct") is None:
        return None
    start = (datetime.fromtimestamp(since) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    command = ["sacct", "--noheader", "--parsable2", "--starttime", start]
    answer = subprocess.run(
        [*command, f"--format={','.join((*_FIELDS, 'WorkDir'))}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        print(f"no accounting: {answer.stderr.strip()}")
        return None
    here, lines, own = str(Path.cwd()), [], set()
    for line in answer.stdout.splitlines():
        fields, _, folder = line.rpartition("|")
        number = fields.partition("|")[0].partition(".")[0]
        if folder == here:
            own.add(number)
        if number in own:
            lines.append(fields)
    return parse_accounting(lines)


def sum_up(source: str, jobs: pl.DataFrame) -> pl.DataFrame:
    """Sum up jobs by rule: table ``report/jobs``, the longest rule first."""
    columns = [pl.lit(None, COLUMNS[name]).alias(name) for name in COLUMNS if name not in jobs]
    sums = [
        pl.when(pl.col(name).count() > 0).then(pl.col(name).cast(COLUMNS[name]).sum())
        for name in ("failed", "hours", "cpu_hours", "core_hours", "gpu_hours")
    ]
    return (
        jobs.with_columns(*columns)
        .group_by("rule")
        .agg(
            pl.lit(source).alias("source"),
            pl.len().cast(pl.Int64).alias("attempts"),
            *sums,
            pl.col("memory_used", "memory_asked").max(),
        )
        .select(*COLUMNS)
        .sort("hours", "rule", descending=[True, False])
    )


def _with_sums(jobs: pl.DataFrame) -> pl.DataFrame:
    """Add a row of all rules together."""
    together = sum_up("", jobs.drop("attempts").with_columns(rule=pl.lit("all")))
    return pl.concat(
        [jobs, together.with_columns(attempts=pl.lit(jobs["attempts"].sum(), pl.Int64))]
    )


def _decimals(value: float | None) -> str:
    return MISSING if is_missing(value) else f"{value:,.2f}"


def job_tables(jobs: pl.DataFrame) -> list[PageTable]:
    """Write ``report/jobs`` for the page: a table for each source, its sums in the last row."""
    return [
        PageTable(
            caption,
            [
                *("rule", "attempts", "failed", "hours", "CPU-hours used", "core-hours given"),
                *("GPU-hours given", "MB used at most", "MB asked for at most"),
            ],
            [
                [
                    row["rule"],
                    *(count(row[name]) for name in ("attempts", "failed")),
                    *(_decimals(row[f"{name}hours"]) for name in ("", "cpu_", "core_", "gpu_")),
                    *(count(row[name]) for name in ("memory_used", "memory_asked")),
                ]
                for row in _with_sums(jobs.filter(source=source)).iter_rows(named=True)
            ],
        )
        for source, caption in SOURCES.items()
        if source in jobs["source"]
    ]
