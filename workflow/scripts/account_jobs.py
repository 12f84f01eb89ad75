"""Rule `account_jobs`: what every rule's jobs took, by benchmark files and accounting."""

from pathlib import Path

import polars as pl
from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.report.jobs import read_accounting, read_benchmarks, sum_up


def main(snakemake):
    path = Path(snakemake.output.jobs)
    results = path.parents[1]
    jobs = read_benchmarks(results, snakemake.params.rules)
    sums = [sum_up("benchmark", jobs)]
    accounted = read_accounting(jobs["start"].min()) if jobs.height else None
    if accounted is not None and accounted.height:
        sums.append(sum_up("accounting", accounted))
    write_table(pl.concat(sums), path, "report/jobs")


if __name__ == "__main__":
    run(main, snakemake)
